/**
 * The command as a function, for programs that run it in their own process.
 */

export { run } from './shell/run.ts';
export type { Terminal } from './shell/terminal.ts';
