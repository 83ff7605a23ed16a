/**
 * Device nodes that a container may use: those without which programs do not run, those that the operator
 * allows, and its GPUs. All nodes may be made where the capability is held, none but these may be opened. Pure.
 * Source: the kernel's list of allocated devices; mesos-kernel §6.6 (cgroups/devices, linux/devices).
 */

import type { HostDevice } from '../host-device.ts';
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
  [10, 200], // net/tun
];
/** Terminals made by /dev/ptmx. */
const PSEUDO_TERMINAL_MAJOR = 136;

const ALWAYS: readonly OciDeviceRule[] = [
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

/** Rules in order: nothing, then what is allowed. */
export function deviceRules(devices: readonly HostDevice[]): readonly OciDeviceRule[] {
  const more = devices.map(({ type, major, minor, access }): OciDeviceRule => ({
    allow: true,
    type,
    major,
    minor,
    access,
  }));
  return [...ALWAYS, ...more];
}

/** Nodes for a container whose `/dev` is its own, like those of the host. */
export function deviceNodes(devices: readonly HostDevice[]): readonly OciDevice[] {
  return devices.map(({ path, type, major, minor, mode, uid, gid }) => ({
    path,
    type,
    major,
    minor,
    fileMode: mode,
    uid,
    gid,
  }));
}
