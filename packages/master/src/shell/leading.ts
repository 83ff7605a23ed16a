/** What decides who leads and what a leader may do, without sockets around it: for simulations. */

export { CoreLoop, type CoreLoopOptions } from './core-loop.ts';
export { Election, masterElectionLayouts, type ProcessGuard } from './election.ts';
export { readRegistry } from './registry-reading.ts';
