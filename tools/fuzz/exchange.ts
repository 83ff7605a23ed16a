/**
 * One HTTP request of the fuzzer and what comes back: well-formed ones, whose answer must come, and bytes that
 * are no HTTP at all, which may be answered by closing the connection.
 */

import { request } from 'node:http';
import { connect } from 'node:net';

/** How long an answer may take to begin. */
const ANSWER_MS_MAX = 15_000;
/** An answer that goes on is an event stream; it is looked at for this long. */
const STREAM_MS = 100;

export interface Sending {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** Sends a request. Resolves with the status; rejects when no answer begins in time. */
export function exchange(url: string, { method, path, headers, body }: Sending): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, path, headers, agent: false });
    const silence = setTimeout(() => {
      outgoing.destroy();
      reject(new Error(`${method} ${path} was not answered within ${ANSWER_MS_MAX} ms`));
    }, ANSWER_MS_MAX);
    outgoing.on('response', (response) => {
      clearTimeout(silence);
      const status = response.statusCode ?? 0;
      const enough = setTimeout(() => outgoing.destroy(), STREAM_MS);
      response.on('close', () => {
        clearTimeout(enough);
        resolve(status);
      });
      // A stream that was cut by us.
      response.on('error', () => resolve(status));
      response.resume();
    });
    outgoing.on('error', (error) => {
      clearTimeout(silence);
      reject(error);
    });
    outgoing.end(body);
  });
}

/** Sends bytes as they are. Resolves with the status of the first answer; undefined when there was none. */
export function exchangeRaw(url: string, bytes: Uint8Array | string): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    const finish = (): void => {
      clearTimeout(enough);
      socket.destroy();
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
      resolve(status === undefined ? undefined : Number(status));
    };
    // Half a request is waited for by the other side; we do not.
    const enough = setTimeout(finish, STREAM_MS);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1', 0, 64);
      finish();
    });
    socket.on('close', finish);
    // A reset is an answer too.
    socket.on('error', finish);
    socket.write(bytes);
  });
}
