/** `GET /v2/events`: the event bus as server-sent events. */

import type { FastifyInstance } from '@dcos/http';
import { startSse } from '@dcos/http';
import type { EventBus } from './event-bus.ts';
import { queryOf, refuse } from './request.ts';

/** Messages that a client may leave unread, counted as bytes of this size each. */
const MESSAGE_BYTES = 4096;

/** Adds the route. */
export function addEventRoutes(
  app: FastifyInstance,
  {
    bus,
    outstandingMessagesMax,
  }: { readonly bus: EventBus; readonly outstandingMessagesMax: number },
): void {
  app.get('/v2/events', { exposeHeadRoute: false }, (request, reply) => {
    const accepts = (request.headers.accept ?? '').includes('text/event-stream');
    if (!accepts)
      refuse(405, 'events are served as text/event-stream: ask for it in the Accept header');
    if (bus.isFull) refuse(503, 'too many clients read the event stream');
    let detach: (() => void) | undefined;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(reply.getHeaders())) headers[name] = String(value);
    const stream = startSse(reply, {
      headers,
      bufferedBytesMax: outstandingMessagesMax * MESSAGE_BYTES,
      onClose: () => detach?.(),
    });
    detach = bus.attach({
      eventTypes: new Set(queryOf(request).getAll('event_type')),
      remoteAddress: request.ip,
      sink: {
        send: (event) => stream.send(event),
        comment: () => stream.comment(),
        close: () => stream.close(),
      },
    });
    if (stream.closed) detach();
  });
}
