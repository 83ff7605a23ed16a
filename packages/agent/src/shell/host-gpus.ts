/**
 * GPUs of the host, as NVIDIA's tool tells them, and which of them tasks may have.
 * The tool counts devices in its own order; their nodes are named by minor numbers, which the driver's files tell.
 * Source: mesos-kernel §6.6, isolator `gpu/nvidia`, and the original's flag `nvidia_gpu_devices`.
 */

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorText, OperationError } from '@dcos/base';
import type { AgentConfig } from '../config.ts';

/** The driver may have to be loaded first. */
const TOOL_TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 1024 * 1024;
const QUERY = ['--query-gpu=index,pci.bus_id,name', '--format=csv,noheader'];

const run = promisify(execFile);

/** One GPU. */
export interface HostGpu {
  /** Its number in the tool's order. */
  readonly index: number;
  /** That of its node. */
  readonly minor: number;
  readonly name: string;
}

/** Where GPUs are looked for; the machine's own places unless a test says otherwise. */
export interface GpuPlaces {
  readonly tool: string;
  /** The driver's directory with one directory for each device. */
  readonly driver: string;
  /** Directory of the nodes. */
  readonly devices: string;
}

export const GPU_PLACES: GpuPlaces = {
  tool: 'nvidia-smi',
  driver: '/proc/driver/nvidia/gpus',
  devices: '/dev',
};

/** All GPUs, none where there is no such tool. Throws GPUS_UNUSABLE when the tool cannot tell. */
export async function findGpus({ tool, driver }: GpuPlaces): Promise<readonly HostGpu[]> {
  let output: string;
  try {
    const { stdout } = await run(tool, QUERY, {
      timeout: TOOL_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    output = stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw unusable(`${tool} failed: ${errorText(error).trim()}`);
  }
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  return await Promise.all(lines.map(async (line) => await gpuOf(line, tool, driver)));
}

async function gpuOf(line: string, tool: string, driver: string): Promise<HostGpu> {
  const [, number, domain, place, name] =
    /^(\d+), ([\da-f]{4,8}):([\da-f]{2}:[\da-f]{2}\.[\da-f]), (.+)$/i.exec(line.trim()) ?? [];
  if (number === undefined || domain === undefined || place === undefined || name === undefined)
    throw unusable(`${tool} says '${line.slice(0, 200)}', which is no GPU`);
  // The driver's names have four digits of the domain, the tool's eight.
  const directory = `${domain.slice(-4)}:${place}`.toLowerCase();
  const path = join(driver, directory, 'information');
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw unusable(`${path} cannot be read: ${errorText(error)}`);
  });
  const minor = /^Device Minor:\s*(\d+)\s*$/m.exec(text)?.[1];
  if (minor === undefined)
    throw unusable(`${path} does not tell the minor number of GPU ${number}`);
  return { index: Number(number), minor: Number(minor), name };
}

/**
 * Minor numbers of those that tasks may have.
 * @param count of the agent's resource `gpus`. Throws CONFIG_INVALID when that cannot be.
 */
export function chosenGpus(
  found: readonly HostGpu[],
  count: number,
  config: Pick<AgentConfig, 'gpuIsolation' | 'nvidiaGpuDevices' | 'runtimes'>,
): readonly number[] {
  const { gpuIsolation, nvidiaGpuDevices: devices, runtimes } = config;
  if (!gpuIsolation) {
    if (count > 0) throw invalid("'gpus' among the resources need 'gpuIsolation'");
    if (devices !== undefined) throw invalid("'nvidiaGpuDevices' needs 'gpuIsolation'");
    return [];
  }
  if (!/oci|docker/.test(runtimes)) throw invalid("GPUs need the runtime 'oci' or 'docker'");
  if (devices === undefined) {
    if (count > found.length)
      throw invalid(`the resources have ${count} gpus, the host ${found.length}`);
    return found.slice(0, count).map(({ minor }) => minor);
  }
  const indices = devices.split(',').map(Number);
  if (new Set(indices).size < indices.length)
    throw invalid("'nvidiaGpuDevices' names a device twice");
  if (indices.length !== count)
    throw invalid(
      `'nvidiaGpuDevices' names ${indices.length} devices, the resources ${count} gpus`,
    );
  return indices.map((index) => {
    const gpu = found.find((one) => one.index === index);
    if (gpu === undefined) throw invalid(`'nvidiaGpuDevices': the host has no GPU ${index}`);
    return gpu.minor;
  });
}

function unusable(problem: string): OperationError {
  return new OperationError('GPUS_UNUSABLE', problem);
}

function invalid(problem: string): OperationError {
  return new OperationError('CONFIG_INVALID', problem);
}
