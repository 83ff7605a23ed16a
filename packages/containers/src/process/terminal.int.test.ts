import { afterAll, beforeAll, describe } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@dcos/base';
import { terminalContract } from '../testing/terminal-contract.ts';
import { createProcessRuntime } from './process-runtime.ts';

describe('plain processes at terminals', () => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'dcos-terminals-'));
  });
  afterAll(async () => await rm(root, { recursive: true, force: true }));

  terminalContract('process', () => ({
    open: () => createProcessRuntime({ stateRoot: join(root, 'run'), logger: silentLogger }),
    sandboxRoot: join(root, 'sandboxes'),
    spec: (base) => base,
  }));
});
