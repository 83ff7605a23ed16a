/**
 * The three forms of a list: a table for people, JSON, identifiers only.
 */

import type { JsonValue } from '@dcos/base';
import { toJsonOutput } from '../core/format.ts';
import { renderTable } from '../core/table.ts';
import type { TableOptions } from '../core/table.ts';
import type { Terminal } from './terminal.ts';

export interface OutputFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export interface ListOutput {
  readonly document: JsonValue;
  readonly identifiers: readonly string[];
  readonly table: TableOptions;
  /** Spaces that a level of the JSON is indented by. */
  readonly jsonIndent?: 2 | 4;
}

/** Prints a list in the form that the flags ask for. */
export async function printList(
  terminal: Terminal,
  flags: OutputFlags,
  list: ListOutput,
): Promise<void> {
  if (flags.quiet === true) await printLines(terminal, list.identifiers);
  else if (flags.json === true) await printJson(terminal, list.document, list.jsonIndent ?? 4);
  else await terminal.print(renderTable(list.table));
}

/** True when the flags ask for the table. */
export function isForPeople(flags: OutputFlags): boolean {
  return flags.json !== true && flags.quiet !== true;
}

/** Prints one JSON document. */
export async function printJson(
  terminal: Terminal,
  document: JsonValue,
  indent: 2 | 4 = 4,
): Promise<void> {
  await terminal.print(toJsonOutput(document, indent));
}

/** Prints lines. */
export async function printLines(terminal: Terminal, lines: readonly string[]): Promise<void> {
  await terminal.print(lines.map((line) => `${line}\n`).join(''));
}
