/**
 * How a component says that it did not take a request, so that whoever passed it on may send it again, to another one
 * or later: to a client of the original the answer is what the original gives, the header is beside it.
 *
 * Invariant: nothing has changed, and nothing will, on behalf of a request whose answer has the header.
 */

import type { FastifyReply } from 'fastify';

/** On answers of masters and Marathons that do not lead and know of nobody who does. Its value says why. */
export const NOT_TAKEN_HEADER = 'dcos-not-taken';
/** Why a request was not taken; there is one reason so far. */
export const NOBODY_LEADS = 'nobody-leads';

/** Marks an answer; the status and the body are the caller's. */
export function markNotTaken(reply: FastifyReply): FastifyReply {
  return reply.header(NOT_TAKEN_HEADER, NOBODY_LEADS);
}
