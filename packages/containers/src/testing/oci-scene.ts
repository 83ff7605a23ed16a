/** An `oci` runtime for a suite, which sees to it at its end that no container left anything behind. */

import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { silentLogger } from '@dcos/base';
import { createOciRuntime, type OciRuntimeOptions } from '../oci/oci-runtime.ts';
import type { ContainerRuntime, ContainerSpec } from '../runtime.ts';
import { hostLeftovers } from './host-leftovers.ts';

const MEGABYTE = 1024 * 1024;

export interface OciScene {
  readonly root: string;
  readonly runtime: ContainerRuntime;
  /** Another runtime over the same state, as after a restart. */
  readonly open: () => ContainerRuntime;
  /** Starts a container; it is removed after the test. */
  readonly launch: (value: string, more?: Partial<ContainerSpec>) => Promise<Launched>;
  /** Runs a command to its end; gives all that it said. */
  readonly said: (value: string, more?: Partial<ContainerSpec>) => Promise<string>;
}

export interface Launched {
  readonly spec: ContainerSpec;
  readonly id: string;
  readonly ipAddresses: readonly string[];
  readonly output: (file?: 'stdout' | 'stderr') => Promise<string>;
}

/** Why there can be none; undefined when all is well. */
export async function ociObstacle(): Promise<string | undefined> {
  return await createOciRuntime({ stateRoot: '/none', logger: silentLogger }).unavailable();
}

/** Declares what makes and removes the scene. Returns the one of the suite that runs. */
export function ociScene(more: (root: string) => Partial<OciRuntimeOptions>): () => OciScene {
  let scene: OciScene;
  const launched: string[] = [];
  const opened: ContainerRuntime[] = [];
  beforeAll(async () => {
    const root = await mkdtemp(join(tmpdir(), 'dcos-oci-'));
    const open = (): ContainerRuntime => {
      const stateRoot = join(root, 'run');
      const runtime = createOciRuntime({ stateRoot, logger: silentLogger, ...more(root) });
      opened.push(runtime);
      return runtime;
    };
    scene = makeScene(root, open, launched);
  });
  afterEach(async () => {
    // The last one knows what it was told; one that knows nothing of them leaves them to the others.
    for (const id of launched.splice(0).toReversed())
      for (const runtime of opened) await runtime.remove(id);
  });
  afterAll(async () => {
    for (const runtime of opened) await runtime.close();
    // Supervisors end a moment after their containers.
    await vi.waitFor(async () => expect(await hostLeftovers(scene.root)).toEqual([]), {
      timeout: 20_000,
    });
    await rm(scene.root, { recursive: true, force: true });
  });
  return () => scene;
}

function makeScene(root: string, open: () => ContainerRuntime, launched: string[]): OciScene {
  const runtime = open();
  let counter = 0;
  async function launch(value: string, more: Partial<ContainerSpec> = {}): Promise<Launched> {
    const id = `scene-${process.pid}-${Date.now()}-${counter++}`;
    const sandboxPath = join(root, 'sandboxes', id);
    await mkdir(sandboxPath, { recursive: true });
    launched.push(id);
    const spec: ContainerSpec = {
      id,
      sandboxPath,
      command: { value },
      environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      cpus: 0.1,
      memoryBytes: 64 * MEGABYTE,
      ...more,
    };
    await runtime.prepare(spec);
    await runtime.create(spec);
    const { ipAddresses } = await runtime.start(id);
    const output = async (file = 'stdout'): Promise<string> =>
      await readFile(join(sandboxPath, file), 'utf8');
    return { spec, id, ipAddresses, output };
  }
  return {
    root,
    runtime,
    open,
    launch,
    async said(value, more) {
      const { id, output } = await launch(value, more);
      await runtime.wait(id);
      return (await output()) + (await output('stderr'));
    },
  };
}
