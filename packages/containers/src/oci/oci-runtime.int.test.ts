import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { silentLogger } from '@dcos/base';
import { runtimeContract } from '../testing/runtime-contract.ts';
import { createOciRuntime } from './oci-runtime.ts';

const reason = await createOciRuntime({ stateRoot: '/none', logger: silentLogger }).unavailable();
if (reason !== undefined) console.warn(`SKIPPED oci runtime: ${reason}`);

describe.skipIf(reason !== undefined)('the oci runtime', () => {
  let root = '';
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'dcos-oci-'));
  });
  afterAll(async () => await rm(root, { recursive: true, force: true }));

  runtimeContract('oci', () => ({
    open: () => createOciRuntime({ stateRoot: join(root, 'run'), logger: silentLogger }),
    sandboxRoot: join(root, 'sandboxes'),
    spec: (base) => base,
  }));
});
