/**
 * What an agent has told the masters, written down for the checkers: what was told must be on its disk, since a
 * crash in the next moment may not take it back.
 */

import { isJsonObject, toBase64, type JsonObject } from '@dcos/base';
import type { agentProtocol } from '@dcos/wire';

export interface ToldRecord {
  /** Updates that were told before they were durable. */
  readonly tooEarly: readonly string[];
  /** Ids, as base64, of the operations whose end was told. */
  readonly operations: ReadonlySet<string>;
  note(message: agentProtocol.ToMaster): void;
}

/** @param durable what is on the disk, at any time. */
export function createToldRecord(durable: ReadonlyMap<string, JsonObject>): ToldRecord {
  const tooEarly: string[] = [];
  const operations = new Set<string>();
  return {
    tooEarly,
    operations,
    note({ status_update: update, operation_update: operation }) {
      if (operation !== undefined) operations.add(toBase64(operation.operation_uuid));
      const uuid = update?.status.uuid;
      if (update === undefined || uuid === undefined) return;
      const text = toBase64(uuid);
      const isHeld = [...durable].some(
        ([key, record]) =>
          key.startsWith('task/') &&
          Array.isArray(record['updates']) &&
          record['updates'].some((held) => isJsonObject(held) && held['uuid'] === text),
      );
      if (!isHeld) tooEarly.push(`${update.status.state} of ${update.status.task_id.value}`);
    },
  };
}
