/** Which hosts a configuration asks for, whatever is there of them. */

import type { Role } from '../core/cluster.ts';
import type { Configuration } from './configuration.ts';

/** Names by role. Hosts that are made are numbered; those that are there have addresses for names. */
export function askedFor({
  provider,
  docker,
  document: { aws, hosts },
}: Pick<Configuration, 'provider' | 'docker' | 'document'>): Readonly<
  Record<Role, readonly string[]>
> {
  if (provider === 'ssh') {
    return {
      master: hosts?.masters ?? [],
      private: hosts?.privateAgents ?? [],
      public: hosts?.publicAgents ?? [],
    };
  }
  const numbered = (role: Role, count = 0): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
  return provider === 'docker'
    ? {
        master: numbered('master', docker.masters),
        private: numbered('private', docker.privateAgents),
        public: numbered('public', docker.publicAgents),
      }
    : {
        master: numbered('master', aws?.masters.count),
        private: numbered('private', aws?.privateAgents.count),
        public: numbered('public', aws?.publicAgents.count),
      };
}
