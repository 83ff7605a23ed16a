/** `destroy`: removes all that was made for the cluster, and nothing else; from any half-built state, any number of times. */

import { OperationError } from '@dcos/base';
import type { CommonOptions, Session, Surroundings } from './session.ts';

export async function destroy(
  { configuration, provider, folder, reporter }: Session,
  { yes = false }: CommonOptions,
  { confirm }: Pick<Surroundings, 'confirm'>,
): Promise<void> {
  const { name } = configuration.settings;
  const infrastructure = await provider.existing();
  const hosts = (infrastructure?.hosts.length ?? 0) + (infrastructure?.leaving.length ?? 0);
  if (hosts > 0 && !yes) {
    if (confirm === undefined) {
      throw new OperationError(
        'INSTALLER_USAGE',
        'nobody can be asked whether the cluster shall go; say so with --yes',
      );
    }
    if (
      !(await confirm(`Remove the cluster ${name} with its ${hosts} hosts and all that they hold?`))
    )
      throw new OperationError('INSTALLER_DECLINED', 'nothing was removed');
  }
  await provider.destroy((text) =>
    reporter.tell({ event: 'infrastructure.removed', text }, `  ${text}`),
  );
  folder.forgetDocument();
  reporter.tell(
    { event: 'destroy.done', hosts },
    infrastructure === undefined ? `nothing is there of ${name}` : `${name} is gone`,
  );
}
