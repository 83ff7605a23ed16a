/**
 * Questions to the person at the terminal.
 */

import { cliError } from './errors.ts';
import type { Terminal } from './terminal.ts';

const attemptsMax = 3;

/** Asks until the answer is yes or no. @throws OperationError CLI_REFUSED for no and for silence */
export async function confirm(terminal: Terminal, question: string): Promise<void> {
  if (await isConfirmed(terminal, question)) return;
  throw cliError(
    'CLI_REFUSED',
    'nothing was changed, since the question was not answered with yes',
  );
}

/** Asks until the answer is yes or no; silence is no. */
export async function isConfirmed(terminal: Terminal, question: string): Promise<boolean> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const answer = await terminal.ask(`${question} [yes/no] `);
    if (answer === undefined) break;
    if (/^(y|yes)$/i.test(answer.trim())) return true;
    if (/^(n|no)$/i.test(answer.trim())) break;
    terminal.notice(`"${answer}" is no answer: type yes or no.`);
  }
  return false;
}
