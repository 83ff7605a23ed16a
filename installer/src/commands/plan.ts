/** `plan`: what a deployment would change, as text; changes nothing. */

import { planCluster } from '../core/plan.ts';
import { counted, stepDetails, stepText } from '../core/plan-text.ts';
import { clusterOf, closeHosts, connectHosts } from './converge.ts';
import type { Session } from './session.ts';

export async function plan({ configuration, provider, reporter, release }: Session): Promise<void> {
  const changes = await provider.changes();
  for (const { action, what } of changes)
    reporter.tell({ event: 'plan.infrastructure', action, what }, `  + ${action} ${what}`);
  const infrastructure = await provider.existing();
  let steps = 0;
  if (infrastructure !== undefined && infrastructure.hosts.length > 0 && changes.length === 0) {
    const cluster = clusterOf(configuration, infrastructure);
    const hosts = await connectHosts(cluster, infrastructure.hosts, await release());
    await closeHosts(hosts);
    for (const step of planCluster(hosts)) {
      steps += 1;
      const text = stepText(step);
      const details = stepDetails(step);
      reporter.tell(
        { event: 'plan.step', host: step.host, step: step.id, text, details, after: step.after },
        [`  ~ ${step.host}: ${text}`, ...details.map((line) => `      ${line}`)].join('\n'),
      );
    }
  } else if (changes.length > 0) {
    reporter.tell(
      { event: 'plan.incomplete' },
      '  hosts that are not there yet cannot be asked: what is installed on each is told by the deployment',
    );
  }
  const count = changes.length + steps;
  reporter.tell(
    { event: 'plan.done', changes: count },
    count === 0 ? 'no change' : `${counted(count, 'change')}; nothing was done`,
  );
}
