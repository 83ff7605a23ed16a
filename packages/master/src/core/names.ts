/**
 * The process ids under which the original's clients know masters and agents.
 */

/** `master@ip:port` */
export function masterPid(ip: string, port: number): string {
  return `master@${ip}:${port}`;
}

/** `slave(1)@ip:port` */
export function agentPid(ip: string, port: number | undefined): string {
  return `slave(1)@${ip}:${port ?? 0}`;
}
