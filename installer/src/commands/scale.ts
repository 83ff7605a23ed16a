/**
 * `scale`: other numbers of agents. It changes the configuration, then does what `deploy` does: new hosts are made, those
 * with the highest numbers are drained and taken away. A release that they would not be given is refused before.
 */

import { OperationError } from '@dcos/base';
import type { Configuration } from '../config/configuration.ts';
import type { ConfigurationEdit, KeyChange } from '../config/edit.ts';
import { ANY_RELEASE, clusterOf, closeHosts, connectHosts } from './converge.ts';
import { deploy, refuseOtherRelease } from './deploy.ts';
import type { CommonOptions, Session, Surroundings } from './session.ts';

export interface ScaleOptions extends CommonOptions {
  readonly privateAgents?: string;
  readonly publicAgents?: string;
}

/** @throws OperationError `INSTALLER_OTHER_RELEASE`, and what `deploy` throws */
export async function scale(
  session: Session,
  options: CommonOptions,
  surroundings: Surroundings,
): Promise<void> {
  const infrastructure = await session.provider.existing();
  if (infrastructure !== undefined) {
    const cluster = clusterOf(session.configuration, infrastructure);
    const { hosts } = await connectHosts(cluster, infrastructure.hosts, ANY_RELEASE);
    try {
      await refuseOtherRelease(hosts, await session.release());
    } finally {
      await closeHosts(hosts);
    }
  }
  await deploy(session, options, surroundings);
}

/** @throws OperationError `INSTALLER_USAGE` */
export function scaleEdit(options: ScaleOptions): ConfigurationEdit {
  const counts = [
    { key: 'privateAgents', flag: '--private-agents', text: options.privateAgents },
    { key: 'publicAgents', flag: '--public-agents', text: options.publicAgents },
  ].flatMap(({ key, flag, text }) =>
    text === undefined ? [] : [{ key, count: countOf(flag, text) }],
  );
  if (counts.length === 0) {
    throw new OperationError(
      'INSTALLER_USAGE',
      'say how many there shall be: --private-agents N, --public-agents N',
    );
  }
  return (configuration) =>
    counts.map(({ key, count }) => ({ path: pathOf(configuration, key), value: count }));
}

function countOf(flag: string, text: string): number {
  if (!/^\d{1,5}$/.test(text))
    throw new OperationError('INSTALLER_USAGE', `${flag} is a number, not ${text}`);
  return Number(text);
}

function pathOf({ provider }: Pick<Configuration, 'provider'>, key: string): KeyChange['path'] {
  if (provider === 'docker') return ['docker', key];
  if (provider === 'aws') return ['aws', key, 'count'];
  throw new OperationError(
    'INSTALLER_USAGE',
    `hosts of the provider ssh have addresses: put them into or take them out of hosts.${key} in the configuration, then: installer deploy`,
  );
}
