/**
 * `dcos marathon app`: reading, creating and changing apps.
 */

import type { Command } from 'commander';
import type { JsonObject, JsonValue } from '@dcos/base';
import {
  appHeadings,
  appId,
  appRows,
  mayWait,
  requireDefinition,
  versionBefore,
} from '../../core/marathon-apps.ts';
import { numberField, objectsField, textsField } from '../../core/json-field.ts';
import { normaliseId } from '../../core/marathon-id.ts';
import { selectQueueItems, waitingSentences } from '../../core/marathon-queue.ts';
import { appFields, unknownFieldSentences } from '../../core/property-arguments.ts';
import { commandGroup, numberIn, subcommand } from '../command-line.ts';
import {
  appUrl,
  deploymentIdOf,
  fetchApp,
  fetchObject,
  fetchObjects,
  fetchQueue,
} from '../documents.ts';
import { cliError, orThrow } from '../errors.ts';
import { readJsonInput } from '../json-input.ts';
import { isForPeople, printJson, printLines, printList } from '../output.ts';
import type { OutputFlags } from '../output.ts';
import { propertiesText, readProperties } from '../properties.ts';
import { openSession } from '../session.ts';
import type { Session } from '../session.ts';
import type { Invocation } from '../terminal.ts';

interface ForceFlag {
  readonly force?: boolean;
}

interface KillFlags {
  readonly scale?: boolean;
  readonly host?: string;
}

const instancesMax = 1_000_000;
const versionsMax = 10_000;
const forceText = 'Override a running deployment of the app.';

/** Adds the group. */
export function addAppCommands(marathon: Command, invocation: Invocation): void {
  const group = commandGroup('app', 'Manage apps.', invocation);
  marathon.addCommand(group);
  addReading(group, invocation);
  addScaling(group, invocation);
  addChanging(group, invocation);
}

function addReading(group: Command, invocation: Invocation): void {
  subcommand(group, 'list', 'List apps.')
    .option('--json', 'Print JSON.')
    .option('-q, --quiet', 'Print IDs only.')
    .action((flags: OutputFlags) => listApps(invocation, flags));
  subcommand(group, 'show', 'Show the definition of an app.')
    .argument('<id>')
    .option('--app-version <version>', 'A version, or -1 for the one before the newest and so on.')
    .action((id: string, flags: { readonly appVersion?: string }) =>
      showApp(invocation, normaliseId(id), flags.appVersion),
    );
  const versions = commandGroup('version', 'Look at the versions of an app.', invocation);
  group.addCommand(versions);
  subcommand(versions, 'list', 'List the versions of an app, newest first.')
    .argument('<id>')
    .option(
      '--max-count <number>',
      'Print at most this many.',
      numberIn('--max-count', { min: 1, max: versionsMax, integer: true }),
    )
    .action(async (id: string, flags: { readonly maxCount?: number }) => {
      const session = await openSession(invocation);
      const list = await fetchVersions(session, normaliseId(id));
      await printJson(invocation.terminal, list.slice(0, flags.maxCount), 2);
    });
}

function addScaling(group: Command, invocation: Invocation): void {
  subcommand(group, 'start', 'Start a stopped app.')
    .argument('<id>')
    .argument(
      '[instances]',
      'Number of instances, 1 without it.',
      numberIn('the number of instances', { min: 1, max: instancesMax, integer: true }),
      1,
    )
    .option('--force', forceText)
    .action((id: string, instances: number, flags: ForceFlag) =>
      scaleApp(invocation, { id: normaliseId(id), instances, flags }),
    );
  subcommand(group, 'stop', 'Stop an app: no instance stays, its definition does.')
    .argument('<id>')
    .option('--force', forceText)
    .action((id: string, flags: ForceFlag) =>
      scaleApp(invocation, { id: normaliseId(id), instances: 0, flags }),
    );
  subcommand(group, 'restart', 'Replace all instances of an app, step by step.')
    .argument('<id>')
    .option('--force', forceText)
    .action(async (argument: string, flags: ForceFlag) => {
      const id = normaliseId(argument);
      const session = await openSession(invocation);
      await fetchApp(session, id);
      const reply = await session.client.json(appUrl(session, id, '/restart'), {
        method: 'POST',
        json: {},
        query: forceQuery(flags),
      });
      await printDeployment(invocation, reply);
    });
  subcommand(group, 'kill', 'Kill the instances of an app; Marathon starts new ones.')
    .argument('<id>')
    .option('--scale', 'Do not start new ones.')
    .option('--host <host>', 'Kill the instances on one host only.')
    .action((id: string, flags: KillFlags) => killApp(invocation, normaliseId(id), flags));
}

function addChanging(group: Command, invocation: Invocation): void {
  subcommand(group, 'add', 'Create an app from a file, a URL or standard input.')
    .argument('[resource]', 'File or URL of the definition in JSON; standard input without it.')
    .action((resource: string | undefined) => addApp(invocation, resource));
  subcommand(group, 'update', 'Change fields of an app.')
    .argument('<id>')
    .argument('[properties...]', propertiesText)
    .option('--force', forceText)
    .action(async (argument: string, words: readonly string[], flags: ForceFlag) => {
      const id = normaliseId(argument);
      const properties = await readProperties(invocation.terminal, words, appFields);
      const session = await openSession(invocation);
      await fetchApp(session, id);
      await printDeployment(invocation, await putApp(session, { id, json: properties, flags }));
    });
  subcommand(group, 'remove', 'Remove an app and its instances.')
    .argument('<id>')
    .option('--force', forceText)
    .action(async (id: string, flags: ForceFlag) => {
      const session = await openSession(invocation);
      const url = appUrl(session, normaliseId(id));
      await session.client.request(url, { method: 'DELETE', query: forceQuery(flags) });
    });
}

async function listApps(invocation: Invocation, flags: OutputFlags): Promise<void> {
  const { terminal } = invocation;
  const session = await openSession(invocation);
  const people = isForPeople(flags);
  const [document, deployments, queue] = await Promise.all([
    fetchObject(session, `${session.marathonUrl}/v2/apps`),
    people ? fetchObjects(session, `${session.marathonUrl}/v2/deployments`) : [],
    people ? fetchQueue(session) : [],
  ]);
  const apps = objectsField(document, 'apps');
  await printList(terminal, flags, {
    document: apps,
    identifiers: apps.map(appId),
    table: {
      headings: appHeadings,
      rows: appRows({ apps, deployments, queue }),
      alignment: 'left',
    },
  });
  for (const sentence of waitingSentences(queue)) terminal.notice(sentence);
}

async function showApp(
  invocation: Invocation,
  id: string,
  version: string | undefined,
): Promise<void> {
  const { terminal } = invocation;
  const session = await openSession(invocation);
  if (version !== undefined) {
    const stamp = await resolveVersion(session, id, version);
    const below = `/versions/${encodeURIComponent(stamp)}`;
    await printJson(terminal, await session.client.json(appUrl(session, id, below)));
    return;
  }
  const app = await fetchApp(session, id);
  await printJson(terminal, app);
  if (!mayWait(app)) return;
  for (const sentence of waitingSentences(selectQueueItems(await fetchQueue(session), id))) {
    terminal.notice(sentence);
  }
}

async function resolveVersion(session: Session, id: string, version: string): Promise<string> {
  if (!/^-?\d{1,9}$/.test(version)) return version;
  const offset = Number(version);
  if (offset > 0)
    throw cliError('CLI_USAGE', `"${version}" is no version: use 0, -1, -2 and so on`);
  return orThrow(versionBefore(await fetchVersions(session, id), offset), 'CLI_NOT_FOUND');
}

async function fetchVersions(session: Session, id: string): Promise<readonly string[]> {
  return textsField(await fetchObject(session, appUrl(session, id, '/versions')), 'versions');
}

async function addApp(invocation: Invocation, resource: string | undefined): Promise<void> {
  const { value, source } = await readJsonInput(invocation.terminal, resource);
  const app = orThrow(requireDefinition(value, source), 'CLI_INPUT');
  const id = normaliseId(app.id);
  const session = await openSession(invocation);
  const existing = await session.client.request(appUrl(session, id), { accept: [404] });
  if (existing.status !== 404) {
    throw cliError(
      'CLI_INPUT',
      `the app "${id}" exists already. Change it with "dcos marathon app update ${id}".`,
    );
  }
  const reply = await session.client.json(`${session.marathonUrl}/v2/apps/`, {
    method: 'POST',
    json: app,
  });
  for (const sentence of unknownFieldSentences(app)) invocation.terminal.notice(sentence);
  await printDeployment(invocation, reply);
}

interface ScaleRequest {
  readonly id: string;
  readonly instances: number;
  readonly flags: ForceFlag;
}

async function scaleApp(invocation: Invocation, request: ScaleRequest): Promise<void> {
  const { id, instances, flags } = request;
  const session = await openSession(invocation);
  const present = numberField(await fetchApp(session, id), 'instances') ?? 0;
  if (instances > 0 && present > 0) {
    throw cliError(
      'CLI_INPUT',
      `the app "${id}" is started already, with ${present} instances. ` +
        `Scale it with "dcos marathon app update ${id} instances=${instances}".`,
    );
  }
  if (instances === 0 && present === 0) {
    throw cliError('CLI_INPUT', `the app "${id}" is stopped already`);
  }
  await printDeployment(invocation, await putApp(session, { id, json: { instances }, flags }));
}

async function killApp(invocation: Invocation, id: string, flags: KillFlags): Promise<void> {
  if (flags.scale === true && flags.host !== undefined) {
    throw cliError('CLI_USAGE', '--scale and --host exclude each other');
  }
  const session = await openSession(invocation);
  if (flags.scale === true) {
    await fetchApp(session, id);
    const reply = await putApp(session, { id, json: { instances: 0 }, flags: {} });
    await printJson(invocation.terminal, reply);
    return;
  }
  const document = await fetchObject(session, appUrl(session, id, '/tasks'), {
    method: 'DELETE',
    query: { host: flags.host },
  });
  await printJson(invocation.terminal, document['tasks'] ?? []);
}

interface PutRequest {
  readonly id: string;
  readonly json: JsonObject;
  readonly flags: ForceFlag;
}

async function putApp(session: Session, { id, json, flags }: PutRequest): Promise<JsonValue> {
  return session.client.json(appUrl(session, id), {
    method: 'PUT',
    json,
    query: forceQuery(flags),
  });
}

async function printDeployment(invocation: Invocation, reply: JsonValue): Promise<void> {
  await printLines(invocation.terminal, [`Created deployment ${deploymentIdOf(reply)}`]);
}

function forceQuery(flags: ForceFlag): { readonly force?: boolean } {
  return flags.force === true ? { force: true } : {};
}
