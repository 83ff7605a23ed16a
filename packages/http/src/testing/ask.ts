/** One request by HTTPS on a connection of its own. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request, type RequestOptions } from 'node:https';
import { errorText } from '@dcos/base';

/** The status of a request, or how it failed. */
export async function ask(url: string, options: RequestOptions): Promise<number | string> {
  const outgoing = request(url, { agent: false, ...options });
  outgoing.end();
  try {
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode ?? 0;
  } catch (error) {
    return errorText(error);
  }
}
