/** Rules about containers: what goes with the Docker engine, and what with the agent's containerizer. */

import type { AppDefinition, LinuxInfo } from './app-definition.ts';
import type { Violation } from './problem.ts';

export function containerViolations(app: AppDefinition): readonly Violation[] {
  const { container } = app;
  if (container === undefined) return [];
  const violations: Violation[] = [];
  const { docker } = container;
  if (container.type === 'DOCKER') {
    if (docker === undefined) {
      const error = 'must be defined for a container of type DOCKER';
      violations.push({ path: '/container/docker', error });
    } else if (docker.pullConfig !== undefined) {
      const error = 'is possible for containers of type MESOS only';
      violations.push({ path: '/container/docker/pullConfig', error });
    }
  } else if (docker !== undefined) {
    if (docker.parameters.length > 0) {
      const error = 'must be empty for a container of type MESOS';
      violations.push({ path: '/container/docker/parameters', error });
    }
    if (docker.privileged) {
      const error = 'must be false for a container of type MESOS';
      violations.push({ path: '/container/docker/privileged', error });
    }
  }
  return [...violations, ...linuxInfoViolations(container.linuxInfo)];
}

function linuxInfoViolations(linuxInfo: LinuxInfo | undefined): readonly Violation[] {
  const { seccomp, ipcInfo } = linuxInfo ?? {};
  const violations: Violation[] = [];
  const path = '/container/linuxInfo';
  if (seccomp !== undefined && (seccomp.profileName !== undefined) === seccomp.unconfined) {
    const error = seccomp.unconfined
      ? 'must not have both a profileName and unconfined'
      : 'must have a profileName unless it is unconfined';
    violations.push({ path: `${path}/seccomp`, error });
  }
  if (ipcInfo?.mode === 'SHARE_PARENT' && ipcInfo.shmSize !== undefined) {
    const error = 'must not be set in mode SHARE_PARENT';
    violations.push({ path: `${path}/ipcInfo/shmSize`, error });
  }
  return violations;
}
