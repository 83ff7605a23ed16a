/**
 * What can go wrong in an installation, and the exit code that says so. Codes are stable; the README lists them.
 */

/** Exit codes of the command. */
export const EXIT_CODES = {
  /** Done, or nothing to do. */
  done: 0,
  /** A step failed; what was done stays, and the next run goes on from there. */
  failed: 1,
  /** Wrong flags or words. */
  usage: 2,
  /** The configuration has faults; nothing was changed. */
  configuration: 3,
  /** Hosts are not fit for the installation; nothing was changed. */
  preflight: 4,
  /** Another run is at this cluster; nothing was changed. */
  locked: 5,
  /** `status` and `doctor`: the cluster is there, and not healthy. */
  unhealthy: 6,
  /** A question was answered with no. */
  declined: 7,
  /** `upgrade`: the release does not serve; the cluster runs the one before again. */
  wentBack: 8,
  /** Ended by Ctrl-C; the next run goes on. */
  interrupted: 130,
} as const;

/** The exit code for an error of that code. */
export function exitCodeOf(code: string | undefined): number {
  switch (code) {
    case 'INSTALLER_USAGE':
      return EXIT_CODES.usage;
    case 'INSTALLER_CONFIGURATION':
      return EXIT_CODES.configuration;
    case 'INSTALLER_PREFLIGHT':
      return EXIT_CODES.preflight;
    case 'INSTALLER_LOCKED':
      return EXIT_CODES.locked;
    case 'INSTALLER_UNHEALTHY':
      return EXIT_CODES.unhealthy;
    case 'INSTALLER_DECLINED':
      return EXIT_CODES.declined;
    case 'INSTALLER_WENT_BACK':
      return EXIT_CODES.wentBack;
    case 'INSTALLER_INTERRUPTED':
      return EXIT_CODES.interrupted;
    default:
      return EXIT_CODES.failed;
  }
}
