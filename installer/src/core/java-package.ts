/** The distribution's package with a Java runtime, which ZooKeeper on masters needs; everything else is in the release. */

import type { HostPlace } from './cluster.ts';
import type { HostFacts } from './host-facts.ts';

type Distribution = Pick<HostFacts, 'os' | 'osLike' | 'osVersion'>;

/** Packages that a host needs and has not. Whoever has a Java runtime of his own keeps it. */
export function missingPackages(
  { role }: Pick<HostPlace, 'role'>,
  facts: Distribution & Pick<HostFacts, 'programs'>,
): readonly string[] {
  return role !== 'master' || facts.programs.has('java') ? [] : [javaPackage(facts)];
}

/** Its name. That of Debian and Ubuntu for those that are not known; whether there is one says the look for packages. */
export function javaPackage({ os, osLike, osVersion }: Distribution): string {
  if (os === 'amzn') return 'java-17-amazon-corretto-headless';
  const isRedHat = [os, ...osLike.split(' ')].some((name) => ['rhel', 'fedora'].includes(name));
  if (!isRedHat) return 'default-jre-headless';
  // From then on there is no 17 any more.
  const major = Number.parseInt(osVersion, 10);
  return os === 'fedora' || major >= 10 ? 'java-21-openjdk-headless' : 'java-17-openjdk-headless';
}
