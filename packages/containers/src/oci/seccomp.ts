/**
 * The default seccomp profile: what a container has no business with is refused with EPERM, the rest is allowed.
 * A list of refusals, not of permissions: a new kernel's new calls work in containers of today, and what is
 * dangerous needs a capability in most cases, which containers do not have by default either. Calls that a
 * capability of the container makes legitimate are not refused to it.
 * Facts about the calls: the kernel's manual pages, section 2.
 */

import type { OciSeccomp, OciSyscallRule } from './oci-spec.ts';

const EPERM = 1;
const ENOSYS = 38;
/** The flag of `clone` and `unshare` that makes a user namespace, in which anybody is root. */
const CLONE_NEWUSER = 0x10_00_00_00;

/** Refused to every container: they act on the whole host, or are a short way out of a container. */
const NEVER = [
  'add_key',
  'bpf',
  'create_module',
  'get_kernel_syms',
  'io_uring_enter',
  'io_uring_register',
  'io_uring_setup',
  'kexec_file_load',
  'kexec_load',
  'keyctl',
  'nfsservctl',
  'perf_event_open',
  'query_module',
  'request_key',
  'swapoff',
  'swapon',
  'sysfs',
  'uselib',
  'userfaultfd',
  'vm86',
  'vm86old',
] as const;

/** Refused unless the container has the capability that they are for. */
const UNLESS: { readonly [capability: string]: readonly string[] } = {
  CAP_SYS_ADMIN: [
    'fanotify_init',
    'fsconfig',
    'fsmount',
    'fsopen',
    'fspick',
    'lookup_dcookie',
    'mount',
    'mount_setattr',
    'move_mount',
    'name_to_handle_at',
    'open_tree',
    'pivot_root',
    'quotactl',
    'quotactl_fd',
    'setns',
    'umount',
    'umount2',
    'unshare',
  ],
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_SYS_BOOT: ['reboot'],
  CAP_SYS_MODULE: ['delete_module', 'finit_module', 'init_module'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: ['kcmp', 'process_madvise', 'process_vm_readv', 'process_vm_writev'],
  CAP_SYS_RAWIO: ['ioperm', 'iopl'],
  CAP_SYS_TIME: ['adjtimex', 'clock_adjtime', 'clock_settime', 'settimeofday', 'stime'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
};

/** Names of processors in Node, and of their system call tables in libseccomp. */
const ARCHITECTURES: { readonly [processor: string]: readonly string[] } = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  s390x: ['SCMP_ARCH_S390X'],
  ppc64: ['SCMP_ARCH_PPC64LE'],
};

/** The profile for a container with these capabilities; `processor` as Node names it. */
export function defaultSeccomp(bounding: readonly string[], processor: string): OciSeccomp {
  const syscalls: OciSyscallRule[] = [refused([...NEVER])];
  for (const [capability, names] of Object.entries(UNLESS)) {
    if (!bounding.includes(capability)) syscalls.push(refused(names));
  }
  if (!bounding.includes('CAP_SYS_ADMIN')) {
    syscalls.push({
      names: ['clone'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: EPERM,
      args: [{ index: 0, value: CLONE_NEWUSER, valueTwo: CLONE_NEWUSER, op: 'SCMP_CMP_MASKED_EQ' }],
    });
    // Its flags are in memory, where no filter can look; libraries fall back to clone when there is none.
    syscalls.push({ names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS });
  }
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ARCHITECTURES[processor] ?? [],
    syscalls,
  };
}

function refused(names: readonly string[]): OciSyscallRule {
  return { names, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM };
}
