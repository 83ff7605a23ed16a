/**
 * Random histories: commands that do the same to an allocator and to the specification and compare.
 * For tests only.
 */

import fc from 'fast-check';
import { agentCommands } from './commands-of-agents.ts';
import { allocationCommands } from './commands-of-allocation.ts';
import { frameworkCommands } from './commands-of-frameworks.ts';
import { operatorCommands } from './commands-of-operators.ts';
import type { Command } from './model.ts';

/** Commands in any order; those that make no sense at their turn are passed over. */
export function allocatorCommands(): fc.Arbitrary<Iterable<Command>> {
  return fc.commands(
    [...frameworkCommands(), ...agentCommands(), ...allocationCommands(), ...operatorCommands()],
    { maxCommands: 100, size: 'max' },
  );
}
