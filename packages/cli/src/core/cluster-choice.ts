/**
 * Which of the configured clusters a command means. The order for the current one: `DCOS_CLUSTER`,
 * the only cluster there is, the attached one.
 */

import { err, ok } from '@dcos/base';
import type { Result } from '@dcos/base';

export interface ClusterEntry {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly attached: boolean;
}

/** What a newcomer has to type; the box listens there by default. */
export const setupHint =
  'Run "dcos cluster setup http://127.0.0.1:8180" to set up the box on this machine, ' +
  'or "dcos cluster setup <url>" for another cluster.';

/** The cluster that commands work on; the error is a sentence for a person. */
export function chooseCurrent<Entry extends ClusterEntry>(
  clusters: readonly Entry[],
  requested: string | undefined,
): Result<Entry, string> {
  if (requested !== undefined && requested !== '') {
    const exact = clusters.filter((item) => item.name === requested || item.id === requested);
    const [found] = exact;
    if (found === undefined) {
      return err(`no cluster "${requested}" is set up, although DCOS_CLUSTER names it`);
    }
    if (exact.length > 1) return err(`several clusters are called "${requested}": use the ID`);
    return ok(found);
  }
  const [only] = clusters;
  if (only === undefined) return err(`no cluster is set up. ${setupHint}`);
  if (clusters.length === 1) return ok(only);
  const attached = clusters.filter((item) => item.attached);
  const [current] = attached;
  if (current === undefined) {
    return err(
      'no cluster is attached. Run "dcos cluster attach <name>", see "dcos cluster list".',
    );
  }
  if (attached.length > 1) {
    const names = attached.map((item) => item.name).join(', ');
    return err(`several clusters are attached (${names}). Run "dcos cluster attach <name>".`);
  }
  return ok(current);
}

/** Finds a cluster by exact name, exact ID or the beginning of an ID. */
export function findCluster<Entry extends ClusterEntry>(
  clusters: readonly Entry[],
  argument: string,
): Result<Entry, string> {
  const exact = clusters.filter((item) => item.name === argument || item.id === argument);
  const matches =
    exact.length > 0 ? exact : clusters.filter((item) => item.id.startsWith(argument));
  const [found] = matches;
  if (found === undefined || argument === '') return err(`unable to find cluster "${argument}"`);
  if (matches.length > 1) {
    return err(`several clusters match "${argument}": pick one of ${idsOf(matches)}`);
  }
  return ok(found);
}

function idsOf(clusters: readonly ClusterEntry[]): string {
  return clusters.map((item) => `${item.id} (${item.name})`).join(', ');
}
