/** What must hold between keys of a configuration. Looks at the document as it was written, so that it is told also when single keys are wrong. */

import { MASTER_COUNTS } from './schema.ts';
import type { Fault } from './faults.ts';

type Raw = Readonly<Record<string, unknown>>;

const group = (document: Raw, key: string): Raw => {
  const value = document[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Raw) : {};
};

const list = (document: Raw, key: string): readonly unknown[] => {
  const value = document[key];
  return Array.isArray(value) ? value : [];
};

const HOST_LISTS = ['masters', 'privateAgents', 'publicAgents'];

export function crossChecks(document: Raw): readonly Fault[] {
  return [
    ...masterCount(document),
    ...groupsOfOtherProviders(document),
    ...awsWithoutSettings(document),
    ...addressesTwice(document),
    ...noAgents(document),
    ...resolversTwice(document),
  ];
}

function masterCount(document: Raw): readonly Fault[] {
  const inDocker = document['provider'] === 'docker';
  const key = inDocker ? 'docker.masters' : 'hosts.masters';
  const given = inDocker
    ? (group(document, 'docker')['masters'] ?? 1)
    : list(group(document, 'hosts'), 'masters').length;
  if ((!inDocker && document['provider'] !== 'ssh') || typeof given !== 'number' || given > 9)
    return [];
  if (MASTER_COUNTS.includes(given) || (inDocker && given < 1)) return [];
  const reason =
    given === 0
      ? 'there is no master'
      : `${given} masters tolerate no more failures than ${given - 1}, and are slower`;
  return [{ key, reason, remedy: 'have 1, 3, 5, 7 or 9 masters' }];
}

const GROUPS_OF_PROVIDERS: Readonly<Record<string, readonly string[]>> = {
  docker: ['docker'],
  ssh: ['ssh', 'hosts'],
  aws: ['aws'],
};

function groupsOfOtherProviders(document: Raw): readonly Fault[] {
  const { provider } = document;
  const own = typeof provider === 'string' ? GROUPS_OF_PROVIDERS[provider] : undefined;
  if (own === undefined) return [];
  return Object.values(GROUPS_OF_PROVIDERS)
    .flat()
    .filter((key) => !own.includes(key))
    .filter((key) => document[key] !== undefined)
    .map((key) => ({
      key,
      reason: `the provider ${String(provider)} has no use for it`,
      remedy: 'remove it, or choose another provider',
    }));
}

/** Unlike the others it cannot guess: a region costs, and an open door is one. */
function awsWithoutSettings(document: Raw): readonly Fault[] {
  if (document['provider'] !== 'aws' || document['aws'] !== undefined) return [];
  return [
    {
      key: 'aws',
      reason: 'the provider aws has to know the region and from where you come',
      remedy: 'give aws.region and aws.adminLocations',
    },
  ];
}

function addressesTwice(document: Raw): readonly Fault[] {
  const hosts = group(document, 'hosts');
  const seen = new Map<unknown, string>();
  const faults: Fault[] = [];
  for (const key of HOST_LISTS) {
    for (const [index, address] of list(hosts, key).entries()) {
      const place = `hosts.${key}.${index}`;
      const before = seen.get(address);
      if (before === undefined) seen.set(address, place);
      else {
        faults.push({
          key: place,
          reason: `${String(address)} is at ${before} already; a host has one role`,
          remedy: 'remove one of the two',
        });
      }
    }
  }
  return faults;
}

function noAgents(document: Raw): readonly Fault[] {
  const docker = group(document, 'docker');
  const none =
    document['provider'] === 'docker' &&
    docker['privateAgents'] === 0 &&
    docker['publicAgents'] === 0;
  if (!none) return [];
  return [
    {
      key: 'docker.privateAgents',
      reason: 'without any agent nothing can run',
      remedy: 'have one agent at least',
    },
  ];
}

function resolversTwice(document: Raw): readonly Fault[] {
  const resolvers = list(document, 'resolvers');
  return resolvers.flatMap((resolver, index) =>
    resolvers.indexOf(resolver) === index
      ? []
      : [
          {
            key: `resolvers.${index}`,
            reason: `${String(resolver)} is named twice`,
            remedy: 'remove one of the two',
          },
        ],
  );
}
