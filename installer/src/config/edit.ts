/** Changes to a configuration that keep what people wrote: order, comments, and every other key. */

import { parseDocument } from 'yaml';
import type { Configuration } from './configuration.ts';

/** A key by its path, and what it has to be. */
export interface KeyChange {
  readonly path: readonly string[];
  readonly value: string | number | boolean;
}

/** Which keys to change, for a configuration that is there. */
export type ConfigurationEdit = (configuration: Configuration) => readonly KeyChange[];

/** The text with these keys; word by word the same where they have these values already. */
export function editText(text: string, changes: readonly KeyChange[]): string {
  const document = parseDocument(text);
  let isChanged = false;
  for (const { path, value } of changes) {
    if (document.getIn(path) === value) continue;
    document.setIn(path, value);
    isChanged = true;
  }
  return isChanged ? document.toString({ lineWidth: 0 }) : text;
}
