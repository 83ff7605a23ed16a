/**
 * The agent as a process of its own. Compiled code is kept beside the installed program: an agent that has died is
 * back in half of the time. Nobody else can write there, unlike in the directory for temporary files.
 */

import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

const installation = join(import.meta.dirname, '..', '..', '..');
enableCompileCache(join(installation, 'node_modules', '.cache', 'agent'));
const { runAgent } = await import('./program.ts');
await runAgent();
