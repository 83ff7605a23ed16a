/**
 * Device nodes that a container may use: those without which programs do not run. All nodes may be made where the
 * capability is held, none but these may be opened. Numbers: the kernel's list of allocated devices.
 */

import type { OciDeviceRule } from './oci-spec.ts';

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

/** Rules in order: nothing, then what is allowed. */
export const DEVICE_RULES: readonly OciDeviceRule[] = [
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
