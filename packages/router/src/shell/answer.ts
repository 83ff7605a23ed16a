/**
 * Short answers that the router gives itself.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sends a whole body; nothing when the head is out already. */
export function sendBody(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  response.writeHead(status, { ...headers, 'content-length': String(bytes.length) });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}

export function sendJsonBody(response: ServerResponse, value: unknown): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-cache' };
  sendBody(response, 200, headers, JSON.stringify(value));
}

/** Says what went wrong, as JSON to clients that ask for it, else as text. */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  problem: string,
): void {
  const wantsJson = /\bjson\b/.test(request.headers.accept ?? '');
  // The rest of a body that was refused is not worth reading.
  const close: Record<string, string> = request.complete ? {} : { connection: 'close' };
  if (wantsJson) {
    const headers = { 'content-type': 'application/json', ...close };
    sendBody(response, status, headers, JSON.stringify({ status, message: problem }));
  } else {
    sendBody(
      response,
      status,
      { 'content-type': 'text/plain; charset=utf-8', ...close },
      `${problem}\n`,
    );
  }
}
