/** What the other end of the protocol is made of: for servers of simulations, and for their clients' errors. */

export { codeOf, type ErrorName } from './errors.ts';
export { FrameReader, JuteReader, JuteWriter } from './jute.ts';
export { OP, type CreateMode, type MultiOperation } from './operations.ts';
export { XID, type WatchEventKind } from './protocol.ts';
export { keyOf } from './keys.ts';
