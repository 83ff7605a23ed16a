/**
 * Executors as the JSON endpoints show them.
 */

import type { JsonObject } from '@dcos/base';
import { EnvironmentType, toJson, withoutSecrets, type CommandInfo } from '@dcos/wire';
import type { ExecutorRecord } from '../core/state.ts';
import { cachedText } from './document.ts';
import { summary } from './v0-resources.ts';
import { labelList } from './v0-tasks.ts';

/** One executor of a framework. */
export const executorText = cachedText((shown: ExecutorRecord) =>
  JSON.stringify(executorObject(shown)),
);

function executorObject(record: ExecutorRecord): JsonObject {
  const { info, resources } = record;
  const role = resources.entries[0]?.nature.allocatedTo;
  return {
    executor_id: record.executorId,
    name: info.name ?? '',
    framework_id: record.frameworkId,
    command: commandObject(info.command ?? {}),
    resources: summary(resources),
    ...(role !== undefined && { role }),
    ...(info.labels !== undefined && { labels: labelList(info.labels.labels) }),
    ...(info.type !== undefined && { type: info.type }),
    slave_id: record.agentId,
  };
}

function commandObject(command: CommandInfo): JsonObject {
  const { shell, value, arguments: argv = [], environment, uris = [] } = command;
  return {
    ...(shell !== undefined && { shell }),
    ...(value !== undefined && { value }),
    argv: [...argv],
    ...(environment !== undefined && {
      environment: toJson(EnvironmentType, withoutSecrets(environment)),
    }),
    uris: uris.map((uri) => ({ value: uri.value, executable: uri.executable ?? false })),
  };
}
