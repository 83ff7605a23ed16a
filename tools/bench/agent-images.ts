/**
 * How long it takes until an image of 200 MB is there to be mounted, from `docker-registry` on loopback: fetched,
 * verified, unpacked and synced, in turns with `docker pull` of the same image. Nothing of it is there before.
 */

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '@dcos/base';
import { openImageStore } from '@dcos/containers';
import { program, startDockerRegistry } from '@dcos/testkit';
import { obstacleOf } from './agent-runtimes.ts';
import { row, type Row } from './row.ts';

const execute = promisify(execFile);
const MEGABYTE = 1024 * 1024;
/** Three layers of few large files, which cannot be packed, and one of many small ones. */
const LARGE = { layers: 3, files: 16, bytes: 4 * MEGABYTE };
const SMALL = { files: 8_000, bytes: 1024 };
const WHAT = 'an image of 200 MB in 4 layers, 8,048 files';

export async function benchmarkImages(full: boolean): Promise<readonly Row[]> {
  const registry = program('docker-registry');
  const obstacle = (await obstacleOf('oci')) ?? (registry.available ? undefined : registry.note);
  if (obstacle !== undefined) return [{ what: WHAT, unavailable: obstacle }];
  const directory = await mkdtemp(join(tmpdir(), 'bench-images-'));
  const started = await startDockerRegistry();
  const hasEngine = (await obstacleOf('docker')) === undefined;
  const oursMs: number[] = [];
  const enginesMs: number[] = [];
  try {
    for (let round = 0; round < (full ? 5 : 2); round++) {
      // New contents each time: no store has seen any of it.
      const layers = await makeLayers(join(directory, `files-${round}`));
      const tag = String(round);
      await started.push({ name: 'bench', tag, layers });
      const name = `${started.host}/bench:${tag}`;
      oursMs.push(await pulledMs(join(directory, `store-${round}`), name));
      if (hasEngine) enginesMs.push(await engineMs(name));
    }
  } finally {
    await started.close();
    await rm(directory, { recursive: true, force: true });
  }
  return [
    row(`pull ${WHAT}`, 'ms', oursMs, ''),
    ...(hasEngine ? [row('  `docker pull` of the same', 'ms', enginesMs, '')] : []),
  ];
}

async function makeLayers(directory: string): Promise<readonly Uint8Array[]> {
  const layers: Uint8Array[] = [];
  for (let layer = 0; layer < LARGE.layers; layer++)
    layers.push(await layerOf(join(directory, `large-${layer}`), LARGE));
  layers.push(await layerOf(join(directory, 'small'), SMALL));
  await rm(directory, { recursive: true });
  return layers;
}

async function layerOf(
  directory: string,
  { files, bytes }: { readonly files: number; readonly bytes: number },
): Promise<Uint8Array> {
  await mkdir(directory, { recursive: true });
  for (let file = 0; file < files; file++)
    await writeFile(join(directory, String(file)), randomBytes(bytes));
  const { stdout } = await execute('tar', ['-C', directory, '-cf', '-', '.'], {
    encoding: 'buffer',
    maxBuffer: 256 * MEGABYTE,
  });
  return stdout;
}

async function pulledMs(root: string, name: string): Promise<number> {
  const store = await openImageStore({ root, logger: silentLogger });
  const startedMs = performance.now();
  await store.prepare({ type: 'DOCKER', docker: { name } }, { containerId: 'bench' });
  const elapsedMs = performance.now() - startedMs;
  await rm(root, { recursive: true });
  return elapsedMs;
}

async function engineMs(name: string): Promise<number> {
  const startedMs = performance.now();
  await execute('docker', ['pull', '--quiet', name]);
  const elapsedMs = performance.now() - startedMs;
  await execute('docker', ['rmi', name]);
  return elapsedMs;
}
