/**
 * What a test needs beyond Node. A suite that misses something is skipped, and its name says why, so
 * that the reason stands in every report.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface Facility {
  readonly available: boolean;
  /** Empty when available, else ` (skipped: …)`, to be put behind the suite's name. */
  readonly note: string;
}

/** What is there, or why it is not. */
export function facility(available: boolean, reason: string): Facility {
  return { available, note: available ? '' : ` (skipped: ${reason})` };
}

/** A Docker Engine that answers and has this image. */
export function dockerImage(image: string): Facility {
  const engine = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], {
    encoding: 'utf8',
  });
  if (engine.status !== 0) return facility(false, 'no Docker Engine answers');
  const inspect = spawnSync('docker', ['image', 'inspect', image], { encoding: 'utf8' });
  return facility(inspect.status === 0, `there is no local image ${image}`);
}

/** A program on the path. */
export function program(name: string): Facility {
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .some((folder) => existsSync(`${folder}/${name}`));
  return facility(found, `${name} is not installed`);
}
