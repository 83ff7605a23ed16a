/**
 * WebSockets to services: the upgrade is asked of the upstream, and once it agrees the two sockets are
 * joined.
 */

import { request as httpRequest, STATUS_CODES, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { errorText, type Logger } from '@dcos/base';
import { requestHeaders } from '../core/headers.ts';
import type { ProxyTarget } from '../core/route.ts';
import { authorityOf, clientOf } from './proxy.ts';

/** Refuses an upgrade with an ordinary answer. */
export function refuseUpgrade(socket: Duplex, status: number, problem: string): void {
  const body = Buffer.from(`${problem}\n`);
  // Nobody else listens on a socket that asked for an upgrade: a client that resets would end the process.
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n` +
      `content-type: text/plain; charset=utf-8\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n` +
      body.toString(),
  );
}

/** Joins the client with the upstream. */
export function forwardUpgrade(
  client: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  target: ProxyTarget,
  options: {
    readonly connectMsMax: number;
    readonly logger: Logger;
    /** Authorities of services in place of the system's. */
    readonly ca: string | undefined;
  },
): void {
  const { request, socket, head } = client;
  const send = target.origin.startsWith('https:') ? httpsRequest : httpRequest;
  const headers = requestHeaders(request.rawHeaders, clientOf(request, target));
  const upgrade = request.headers.upgrade ?? 'websocket';
  const upstream = send({
    ...authorityOf(target.origin),
    path: target.target,
    method: 'GET',
    headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', upgrade],
    setDefaultHeaders: false,
    agent: false,
    ...(options.ca !== undefined && { ca: options.ca }),
    timeout: options.connectMsMax,
  });
  const fail = (error: unknown): void => {
    const problem = `${target.origin} does not answer: ${errorText(error)}`;
    options.logger.warn({ event: 'upstream.failed', origin: target.origin, problem }, problem);
    if (!socket.destroyed) refuseUpgrade(socket, 502, problem);
  };
  upstream.once('error', fail);
  upstream.once('timeout', () => upstream.destroy(new Error('connection timed out')));
  upstream.once('response', (answer) => {
    answer.resume();
    refuseUpgrade(socket, answer.statusCode ?? 502, 'the service does not speak WebSocket here');
  });
  upstream.once('upgrade', (answer, upstreamSocket, upstreamHead) => {
    upstream.off('error', fail);
    upstreamSocket.setTimeout(0);
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headerLines(answer.rawHeaders)}\r\n`);
    if (upstreamHead.length > 0) socket.write(upstreamHead);
    if (head.length > 0) upstreamSocket.write(head);
    // Either side's end or failure ends the other; a broken connection is nobody's mistake.
    pipeline(socket, upstreamSocket).catch(() => socket.destroy());
    pipeline(upstreamSocket, socket).catch(() => upstreamSocket.destroy());
  });
  socket.once('error', () => upstream.destroy());
  socket.once('close', () => upstream.destroy());
  upstream.end();
}

function headerLines(rawHeaders: readonly string[]): string {
  let lines = '';
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    lines += `${rawHeaders[index] ?? ''}: ${rawHeaders[index + 1] ?? ''}\r\n`;
  }
  return lines;
}
