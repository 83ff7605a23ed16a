/** What a program wrote, of which the last part matters. */

import type { Readable } from 'node:stream';
import { OUTPUT_BYTES_MAX } from './connection.ts';

/** The last part of a stream as text, once it has ended. */
export async function lastOf(stream: Readable): Promise<string> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    // Put together now and then only, since that copies all of it.
    if (bytes > 2 * OUTPUT_BYTES_MAX) {
      chunks = [Buffer.concat(chunks).subarray(-OUTPUT_BYTES_MAX)];
      bytes = OUTPUT_BYTES_MAX;
    }
  }
  return Buffer.concat(chunks).subarray(-OUTPUT_BYTES_MAX).toString();
}
