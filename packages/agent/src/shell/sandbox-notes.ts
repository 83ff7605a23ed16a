/** What the agent tells people in the sandbox of a task, beside the output of the task itself. */

import { join } from 'node:path';
import { NotAFile, openForAppending } from '@dcos/containers';

/** Adds to the sandbox's `stderr`. Nothing is told where an archive or a task has put something else in its place. */
export async function noteInSandbox(sandboxPath: string, text: string): Promise<void> {
  try {
    const file = await openForAppending(join(sandboxPath, 'stderr'));
    try {
      await file.appendFile(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof NotAFile)) throw error;
  }
}
