/**
 * `dcos marathon`: apps, groups, deployments and tasks of the service scheduler.
 */

import type { Command } from 'commander';
import { idPath, normaliseId } from '../../core/marathon-id.ts';
import { commandGroup, subcommand } from '../command-line.ts';
import { fetchObjects } from '../documents.ts';
import { printJson, printLines } from '../output.ts';
import { openSession } from '../session.ts';
import type { Invocation } from '../terminal.ts';
import { addAppCommands } from './marathon-app.ts';
import { addDebugCommands } from './marathon-debug.ts';
import { addDeploymentCommands } from './marathon-deployment.ts';
import { addGroupCommands } from './marathon-group.ts';
import { addTaskCommands } from './marathon-task.ts';
import { addNotThereYet } from './not-there-yet.ts';

/** Masters that `ping` asks one after the other. */
const pingsMax = 100;

/** Builds the group. */
export function buildCommand(invocation: Invocation): Command {
  const { terminal } = invocation;
  const group = commandGroup('marathon', 'Deploy and manage apps.', invocation);
  subcommand(group, 'about', 'Show version and settings of Marathon.').action(async () => {
    const session = await openSession(invocation);
    await printJson(terminal, await session.client.json(`${session.marathonUrl}/v2/info`));
  });
  subcommand(group, 'ping', 'Ask whether Marathon answers.')
    .option('--once', 'Ask once, not once for each master.')
    .action((flags: { readonly once?: boolean }) => ping(invocation, flags.once === true));
  addAppCommands(group, invocation);
  addDebugCommands(group, invocation);
  addDelayCommands(group, invocation);
  addDeploymentCommands(group, invocation);
  addGroupCommands(group, invocation);
  addTaskCommands(group, invocation);
  addNotThereYet(group, ['leader', 'plugin', 'pod']);
  return group;
}

async function ping(invocation: Invocation, once: boolean): Promise<void> {
  const session = await openSession(invocation);
  const masters = once
    ? 1
    : (await fetchObjects(session, `${session.clusterUrl}/mesos_dns/v1/hosts/master.mesos`)).length;
  const count = Math.min(pingsMax, Math.max(1, masters));
  let answer = '';
  for (let index = 0; index < count; index += 1) {
    answer = (await session.client.request(`${session.marathonUrl}/ping`)).body.trim();
  }
  const text = answer.startsWith('"') ? answer : JSON.stringify(answer);
  await printLines(invocation.terminal, [`Marathon ping response[${count}x]: ${text}`]);
}

function addDelayCommands(marathon: Command, invocation: Invocation): void {
  const group = commandGroup('delay', 'Manage the delay after failed starts.', invocation);
  marathon.addCommand(group);
  subcommand(group, 'reset', 'Start the instances of an app or pod now.')
    .argument('<id>')
    .action(async (argument: string) => {
      const id = normaliseId(argument);
      const session = await openSession(invocation);
      const url = `${session.marathonUrl}/v2/queue${idPath(id)}/delay`;
      await session.client.request(url, { method: 'DELETE' });
      await printLines(invocation.terminal, [`Reset delay for service ${id}`]);
    });
}
