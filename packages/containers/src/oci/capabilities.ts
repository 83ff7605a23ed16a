/**
 * The capabilities of a container's processes: a default set, or the sets that a task names. Source: mesos-kernel
 * §6.6 (`linux/capabilities`): `bounding_capabilities` is what may ever be had, `effective_capabilities` what is had
 * from the start; the older `capability_info` means the latter. Effective ones must be among the bounding ones.
 */

import type { CapabilityInfo, LinuxInfo } from '@dcos/wire';
import { containerError } from '../errors.ts';

/** What root in a container can do without reaching the host: files, ids, its own processes, ports. */
const DEFAULT_SET = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
] as const;

export interface CapabilitySets {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
}

/** The sets in the kernel's names. Throws CONTAINER_INVALID for effective ones that are not in the bounding set. */
export function capabilitySets(info: LinuxInfo | undefined): CapabilitySets {
  const asked = namesOf(info?.effective_capabilities ?? info?.capability_info);
  const bounding = namesOf(info?.bounding_capabilities) ?? asked ?? named(DEFAULT_SET);
  const effective = asked ?? bounding;
  const excess = effective.filter((name) => !bounding.includes(name));
  if (excess.length > 0)
    throw containerError(
      'CONTAINER_INVALID',
      `effective capabilities that are not in the bounding set: ${excess.join(', ')}`,
    );
  return { bounding, effective };
}

function namesOf(info: CapabilityInfo | undefined): readonly string[] | undefined {
  if (info === undefined) return undefined;
  return named((info.capabilities ?? []).filter((name) => name !== 'UNKNOWN'));
}

const named = (names: readonly string[]): readonly string[] => names.map((name) => `CAP_${name}`);
