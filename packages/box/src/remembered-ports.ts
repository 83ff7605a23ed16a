/**
 * Ports of the last start, taken again when they are free: an address that somebody noted stays true. They
 * are a convenience, so a file that cannot be read only means new ports.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject } from '@dcos/base';
import { checkPorts } from './ports.ts';

export interface ComponentPorts {
  readonly master: number;
  readonly marathon: number;
  readonly dns: number;
}

const FILE = 'ports.json';

/** The ports to ask for: those of the flags where they fix one, else the last ones that are free, else 0. */
export async function choosePorts(
  host: string,
  directory: string,
  fixed: ComponentPorts,
): Promise<ComponentPorts> {
  const last = readPorts(join(directory, FILE));
  const choose = async (name: keyof ComponentPorts): Promise<number> => {
    const remembered = last[name] ?? 0;
    if (fixed[name] !== 0 || remembered === 0) return fixed[name];
    return (await isFree(host, remembered, name === 'dns')) ? remembered : 0;
  };
  return {
    master: await choose('master'),
    marathon: await choose('marathon'),
    dns: await choose('dns'),
  };
}

/** Notes the ports for the next start. */
export function rememberPorts(directory: string, ports: ComponentPorts): void {
  writeFileSync(join(directory, FILE), `${JSON.stringify(ports)}\n`);
}

function readPorts(file: string): Partial<ComponentPorts> {
  if (!existsSync(file)) return {};
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
  if (!isJsonObject(json)) return {};
  const port = (name: keyof ComponentPorts): number => {
    const value = json[name];
    return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 65_536
      ? value
      : 0;
  };
  return { master: port('master'), marathon: port('marathon'), dns: port('dns') };
}

async function isFree(host: string, port: number, udp: boolean): Promise<boolean> {
  try {
    await checkPorts(host, [{ port, flag: '', udp }]);
    return true;
  } catch {
    // In use or not ours to open: another one will do.
    return false;
  }
}
