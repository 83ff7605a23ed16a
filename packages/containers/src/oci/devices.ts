/**
 * Device nodes that a container may use: those without which programs do not run. All nodes may be made where the
 * capability is held, none but these may be opened. Numbers: the kernel's list of allocated devices.
 */

import type { HostDevice } from '../gpu-devices.ts';
import type { OciDevice, OciDeviceRule } from './oci-spec.ts';

const CHARACTER_DEVICES: readonly (readonly [major: number, minor: number])[] = [
  [1, 3], // null
  [1, 5], // zero
  [1, 7], // full
  [1, 8], // random
  [1, 9], // urandom
  [5, 0], // tty
  [5, 1], // console
  [5, 2], // ptmx
];
/** Terminals made by /dev/ptmx. */
const PSEUDO_TERMINAL_MAJOR = 136;

/** Rules in order: nothing, then what is allowed, the container's own devices last. */
export function deviceRules(own: readonly HostDevice[] = []): readonly OciDeviceRule[] {
  return own.length === 0 ? DEVICE_RULES : [...DEVICE_RULES, ...own.map(ruleOf)];
}

/** The node of a device, for everybody as NVIDIA's are. */
export function deviceNode({ path, major, minor }: HostDevice): OciDevice {
  return { path, type: 'c', major, minor, fileMode: 0o666, uid: 0, gid: 0 };
}

function ruleOf({ major, minor }: HostDevice): OciDeviceRule {
  return { allow: true, type: 'c', major, minor, access: 'rwm' };
}

const DEVICE_RULES: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...CHARACTER_DEVICES.map(([major, minor]): OciDeviceRule => ({
    allow: true,
    type: 'c',
    major,
    minor,
    access: 'rwm',
  })),
  { allow: true, type: 'c', major: PSEUDO_TERMINAL_MAJOR, access: 'rwm' },
];
