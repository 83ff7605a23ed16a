/** A program that launches and removes containers until it is killed: `launch-forever.ts <root>`. */

import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '@dcos/base';
import type { ContainerInfo } from '@dcos/wire';
import { createOciRuntime } from '../oci/oci-runtime.ts';

const root = process.argv[2] ?? '';
const runtime = createOciRuntime({ stateRoot: join(root, 'run'), logger: silentLogger });

async function launch(more: Partial<ContainerInfo>): Promise<void> {
  const id = randomUUID();
  const sandboxPath = join(root, 'sandboxes', id);
  await mkdir(sandboxPath, { recursive: true });
  const spec = {
    id,
    sandboxPath,
    command: { value: 'exec sleep 600' },
    container: { type: 'MESOS', network_infos: [{ name: 'mesos-bridge' }], ...more },
    environment: { PATH: '/usr/bin:/bin' },
    cpus: 0.1,
    memoryBytes: 0,
  } as const;
  await runtime.prepare(spec);
  await runtime.create(spec);
  await runtime.start(id);
  console.log(id);
  await runtime.remove(id);
}

async function repeat(more: Partial<ContainerInfo> = {}): Promise<never> {
  for (;;) await launch(more);
}

// One of them has other supervisors.
await Promise.all([repeat(), repeat(), repeat({ tty_info: {} })]);
