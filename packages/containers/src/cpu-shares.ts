/** Cpus in the kernel's shares, which count when cpus are short. Source: mesos-kernel §6.6. */

/** For one cpu, and for one that is lent. */
const SHARES_PER_CPU = 1024;
const SHARES_PER_LENT_CPU = 10;
/** The bounds of the kernel. */
export const SHARES_MIN = 2;
export const SHARES_MAX = 262_144;

/** The shares of a container. */
export function cpuSharesOf({
  cpus,
  isLowPriority = false,
}: {
  readonly cpus: number;
  readonly isLowPriority?: boolean;
}): number {
  const shares = Math.floor(cpus * (isLowPriority ? SHARES_PER_LENT_CPU : SHARES_PER_CPU));
  return Math.min(SHARES_MAX, Math.max(SHARES_MIN, shares));
}
