/**
 * The text forms of the agent's `--resources` and `--attributes` flags.
 *
 * `resources := item (";" item)*`, `item := name ["(" role ")"] ":" value`, a value being a number,
 * `[a-b,c-d]` or `{x,y}`; or a JSON array of Resource. Attributes are the same without roles; their text
 * values are TEXT.
 */

import { err, errorText, ok, type Result } from '@dcos/base';
import { fromJson, ResourceType, type Attribute, type Resource } from '@dcos/wire';
import { parseRanges } from './ranges.ts';
import { validateResources } from './validation.ts';

/** Reads the resources flag. The error names the item. */
export function parseResources(
  text: string,
  defaultRole = '*',
): Result<readonly Resource[], string> {
  const parsed = text.trim().startsWith('[') ? parseJson(text) : parseItems(text, defaultRole);
  if (!parsed.ok) return parsed;
  const problem = validateResources(parsed.value);
  return problem === undefined ? parsed : err(problem);
}

function parseJson(text: string): Result<readonly Resource[], string> {
  try {
    const json = JSON.parse(text) as unknown;
    if (!Array.isArray(json)) return err('resources must be a JSON array');
    return ok(json.map((item) => fromJson(ResourceType, item)));
  } catch (error) {
    return err(`resources are not valid JSON: ${errorText(error)}`);
  }
}

function parseItems(text: string, defaultRole: string): Result<readonly Resource[], string> {
  const resources: Resource[] = [];
  for (const item of items(text)) {
    const match = /^([^:()]+?)\s*(?:\(([^)]+)\))?\s*:([\s\S]*)$/.exec(item);
    if (match === null) return err(`'${item}' is not of the form name:value or name(role):value`);
    const name = (match[1] ?? '').trim();
    const role = (match[2] ?? defaultRole).trim();
    const value = parseValue((match[3] ?? '').trim());
    if (value === undefined)
      return err(`'${item}' has no value that is a number, [ranges] or {set}`);
    const reservations = role === '*' ? {} : { reservations: [{ type: 'STATIC' as const, role }] };
    resources.push({ name, ...value, ...reservations });
  }
  return ok(resources);
}

function items(text: string): readonly string[] {
  return text
    .split(';')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function parseValue(
  text: string,
): Pick<Resource, 'type' | 'scalar' | 'ranges' | 'set'> | undefined {
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(text)) {
    return { type: 'SCALAR', scalar: { value: Number(text) } };
  }
  const ranges = parseRanges(text);
  if (ranges !== undefined) return { type: 'RANGES', ranges: { range: ranges } };
  const set = /^\{([^}]*)\}$/.exec(text)?.[1];
  if (set === undefined) return undefined;
  const members = set.split(',').map((item) => item.trim());
  return { type: 'SET', set: { item: members.filter((item) => item !== '') } };
}

/** Reads the attributes flag. The error names the item. */
export function parseAttributes(text: string): Result<readonly Attribute[], string> {
  const attributes: Attribute[] = [];
  for (const item of items(text)) {
    const colon = item.indexOf(':');
    const name = item.slice(0, colon).trim();
    if (colon <= 0 || name === '') return err(`'${item}' is not of the form key:value`);
    const value = item.slice(colon + 1).trim();
    const read = parseValue(value);
    if (read?.scalar !== undefined) attributes.push({ name, type: 'SCALAR', scalar: read.scalar });
    else if (read?.ranges !== undefined)
      attributes.push({ name, type: 'RANGES', ranges: read.ranges });
    else attributes.push({ name, type: 'TEXT', text: { value } });
  }
  return ok(attributes);
}
