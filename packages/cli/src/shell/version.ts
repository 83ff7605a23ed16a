/**
 * `dcos --version`.
 */

import { textField } from '../core/json-field.ts';
import { notAvailable } from '../core/format.ts';
import { chooseCurrent } from '../core/cluster-choice.ts';
import { probeVersion } from './cluster-status.ts';
import { readClusters } from './data-directory.ts';
import { printLines } from './output.ts';
import type { Terminal } from './terminal.ts';

/** The version of this command. */
export const cliVersion = '0.1.0';

/** Prints `key=value` lines: this command's version, and the current cluster's where there is one. */
export async function printVersion(terminal: Terminal): Promise<void> {
  const lines = [`dcoscli.version=${cliVersion}`];
  const current = chooseCurrent(await readClusters(terminal), terminal.environment['DCOS_CLUSTER']);
  if (current.ok) {
    const document = await probeVersion(terminal, current.value);
    const value = (name: string): string => textField(document, name) ?? notAvailable;
    lines.push(
      `dcos.version=${value('version')}`,
      `dcos.variant=${value('dcos-variant')}`,
      `dcos.commit=${value('dcos-image-commit')}`,
      `dcos.bootstrap-id=${value('bootstrap-id')}`,
    );
  }
  await printLines(terminal, lines);
}
