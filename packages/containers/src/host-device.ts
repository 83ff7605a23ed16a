/** A device of the host that containers are given. */

/** As found by the path of its node, which is the same in the container. */
export interface HostDevice {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  /** Of `r`, `w` and `m`. */
  readonly access: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The two numbers of a device as the C library packs them into one, on Linux. */
export function numbersOf(rdev: bigint): Pick<HostDevice, 'major' | 'minor'> {
  const major = ((rdev >> 8n) & 0xf_ffn) | ((rdev >> 32n) & 0xff_ff_f0_00n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xff_ff_ff_00n);
  return { major: Number(major), minor: Number(minor) };
}
