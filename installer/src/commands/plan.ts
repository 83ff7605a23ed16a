/** `plan`: what a deployment would change, as text; changes nothing. */

import { counted, stepDetails, stepText } from '../core/plan-text.ts';
import type { Step } from '../core/plan.ts';
import type { Infrastructure, ProviderChange } from '../providers/provider.ts';
import { clusterOf, closeHosts, connectHosts, planFor, unusableHosts } from './converge.ts';
import { tellCertificates } from './tell-certificates.ts';
import type { Session } from './session.ts';

const MARKS: Readonly<Record<ProviderChange['action'], string>> = {
  create: '+',
  start: '~',
  change: '~',
  remove: '-',
};

export async function plan(session: Session): Promise<void> {
  const { provider, reporter } = session;
  const changes = await provider.changes();
  const infrastructure = await provider.existing();
  for (const { action, what } of changes)
    reporter.tell(
      { event: 'plan.infrastructure', action, what },
      `  ${MARKS[action]} ${action} ${what}`,
    );
  for (const { name, address } of infrastructure?.leaving ?? [])
    reporter.tell(
      { event: 'plan.leaving', host: name, address },
      `    ${name} is drained first: its tasks end and start elsewhere`,
    );
  for (const note of (await provider.notes?.()) ?? [])
    reporter.tell({ event: 'plan.note', note }, `  ${note}`);
  const isComplete =
    infrastructure !== undefined && changes.every(({ action }) => action === 'remove');
  if (!isComplete) {
    reporter.tell(
      { event: 'plan.incomplete' },
      '  hosts that are not there yet cannot be asked: what is installed on each is told by the deployment',
    );
  }
  const steps = isComplete ? await stepsOf(session, infrastructure) : [];
  for (const step of steps) {
    const text = stepText(step);
    const details = stepDetails(step);
    reporter.tell(
      { event: 'plan.step', host: step.host, step: step.id, text, details, after: step.after },
      [`  ~ ${step.host}: ${text}`, ...details.map((line) => `      ${line}`)].join('\n'),
    );
  }
  const count = changes.length + steps.length;
  reporter.tell(
    { event: 'plan.done', changes: count },
    count === 0 ? 'no change' : `${counted(count, 'change')}; nothing was done`,
  );
}

async function stepsOf(
  { configuration, release, reporter }: Session,
  infrastructure: Infrastructure,
): Promise<readonly Step[]> {
  const cluster = clusterOf(configuration, infrastructure);
  const connected = await connectHosts(cluster, infrastructure.hosts, await release());
  const { hosts } = connected;
  for (const { place, problem } of unusableHosts(connected)) {
    reporter.tell(
      { event: 'host.unreachable', host: place.name, problem },
      `  ! ${place.name}: ${problem}`,
    );
  }
  tellCertificates(hosts, reporter);
  try {
    return await planFor(hosts);
  } finally {
    await closeHosts(hosts);
  }
}
