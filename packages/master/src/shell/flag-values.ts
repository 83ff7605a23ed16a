/**
 * Values of the original's flags that are more than a number or a word: rates, percentages, amounts of
 * resources, weights, lists. Each parser returns undefined for a text that is none.
 */

import type { MinAllocatable, Quantities } from '@dcos/allocator';
import { parseDurationMs } from '@dcos/base';
import { toMilli } from '@dcos/resources';

/** `1/20mins`: so many in so long. */
export function parseRate(
  text: string,
): { readonly agents: number; readonly perMs: number } | undefined {
  const [count = '', duration = ''] = text.split('/');
  const agents = Number(count);
  const perMs = parseDurationMs(duration);
  return /^\d+$/.test(count) && agents > 0 && perMs !== undefined && perMs > 0
    ? { agents, perMs }
    : undefined;
}

/** `80%` as a part of one. */
export function parsePercentage(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  const percent = Number(match?.[1] ?? Number.NaN);
  return percent <= 100 ? percent / 100 : undefined;
}

/** `cpus:0.01|mem:32;disk:1`: one of several sets of amounts; nothing at all means that anything will do. */
export function parseMinAllocatable(text: string): MinAllocatable | undefined {
  const sets: Quantities[] = [];
  for (const set of text === '' ? [] : text.split('|')) {
    const quantities = new Map<string, number>();
    for (const item of set.split(';')) {
      const [name = '', value = '', ...rest] = item.split(':').map((part) => part.trim());
      if (name === '' || !/^\d+(\.\d+)?$/.test(value) || rest.length > 0 || quantities.has(name))
        return undefined;
      quantities.set(name, toMilli(Number(value)));
    }
    sets.push(quantities);
  }
  return sets;
}

/** `dev=2,ops=1.5`: weights by role. */
export function parseWeights(text: string): ReadonlyMap<string, number> | undefined {
  const weights = new Map<string, number>();
  for (const item of parseList(text)) {
    const [role = '', value = '', ...rest] = item.split('=');
    const weight = Number(value);
    if (role === '' || value === '' || rest.length > 0 || weights.has(role)) return undefined;
    if (!(weight > 0) || !Number.isFinite(weight)) return undefined;
    weights.set(role, weight);
  }
  return weights;
}

/** `a,b`: what is between the commas. */
export function parseList(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
