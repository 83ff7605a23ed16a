/**
 * The syntax of the `--resources` and `--attributes` flags: `cpus:2;ports(web):[8000-8010];zone:{a,b}`,
 * or, for resources, a JSON array of `Resource` where more must be said (disks with sources).
 * Source: mesos-kernel §6.11.
 */

import { err, ok, type Result } from '@dcos/base';
import { fromJson, ResourceType, type Attribute, type Resource } from '@dcos/wire';
import { normaliseRanges, parseRanges } from './ranges.ts';
import { reservationsOf } from './reservations.ts';
import { isValidRole, UNRESERVED_ROLE } from './roles.ts';
import { validateResources } from './validation.ts';

/** Bytes of text that are read at most. */
export const TEXT_LENGTH_MAX = 1_000_000;

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/** Reads resources; those without a role of their own are reserved to `defaultRole` (`*`: to nobody). */
export function parseResources(
  text: string,
  defaultRole: string = UNRESERVED_ROLE,
): Result<readonly Resource[], string> {
  if (text.length > TEXT_LENGTH_MAX) return err(`more than ${TEXT_LENGTH_MAX} characters`);
  const parsed = /^\s*[[{]/.test(text) ? fromJsonArray(text) : fromItems(text);
  if (!parsed.ok) return parsed;
  const resources = parsed.value.map((resource) =>
    defaultRole !== UNRESERVED_ROLE &&
    (resource.reservations ?? []).length === 0 &&
    (resource.role ?? UNRESERVED_ROLE) === UNRESERVED_ROLE
      ? { ...resource, reservations: [{ type: 'STATIC' as const, role: defaultRole }] }
      : resource,
  );
  const problem = validateResources(resources) ?? operatorProblem(resources);
  return problem === undefined ? ok(resources) : err(problem);
}

/** What operations of frameworks and operators make, and estimates, cannot be given with a host. */
function operatorProblem(resources: readonly Resource[]): string | undefined {
  const types = new Map<string, Resource['type']>();
  for (const resource of resources) {
    const { name, type, disk } = resource;
    if ((types.get(name) ?? type) !== type)
      return `Resources named '${name}' are of different types`;
    types.set(name, type);
    if (reservationsOf(resource).some((reservation) => reservation.type === 'DYNAMIC'))
      return `Resource '${name}' cannot be reserved dynamically here`;
    if (disk?.persistence !== undefined)
      return `Resource '${name}' cannot be a persistent volume here`;
    if (resource.revocable !== undefined) return `Resource '${name}' cannot be revocable here`;
    if (resource.allocation_info !== undefined)
      return `Resource '${name}' cannot be allocated to a role here`;
  }
  return undefined;
}

function fromJsonArray(text: string): Result<readonly Resource[], string> {
  try {
    const json: unknown = JSON.parse(text);
    if (!Array.isArray(json)) return err('expecting a JSON array of resources');
    return ok(json.map((item) => fromJson(ResourceType, item)));
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function fromItems(all: string): Result<readonly Resource[], string> {
  const resources: Resource[] = [];
  for (const item of all.split(';')) {
    if (item.trim() === '') continue;
    const colon = item.indexOf(':');
    if (colon === -1)
      return err(`Bad value for resources, missing or extra ':' in '${item.trim()}'`);
    const head = /^([^()]+?)\s*(?:\(([^()]*)\))?$/.exec(item.slice(0, colon).trim());
    if (head === null)
      return err(`Bad value for resources, mismatched parentheses in '${item.trim()}'`);
    const name = head[1] ?? '';
    const role = head[2]?.trim();
    if (role !== undefined) {
      const problem = isValidRole(role);
      if (problem !== undefined) return err(`Invalid role in '${item.trim()}': ${problem}`);
    }
    const text = item.slice(colon + 1).trim();
    if (text.includes(':'))
      return err(`Bad value for resources, missing or extra ':' in '${item.trim()}'`);
    const value = resourceValue(name, text);
    if (!value.ok) return value;
    resources.push(
      role === undefined || role === UNRESERVED_ROLE
        ? value.value
        : { ...value.value, reservations: [{ type: 'STATIC', role }] },
    );
  }
  return ok(resources);
}

function resourceValue(name: string, text: string): Result<Resource, string> {
  if (text.startsWith('[')) {
    const ranges = parseRanges(text);
    if (!ranges.ok) return err(`Resource '${name}': ${ranges.error}`);
    return ok({ name, type: 'RANGES', ranges: { range: normaliseRanges(ranges.value) } });
  }
  if (text.startsWith('{')) {
    if (!text.endsWith('}')) return err(`Resource '${name}': missing '}' in '${text}'`);
    const item = text
      .slice(1, -1)
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '');
    return ok({ name, type: 'SET', set: { item } });
  }
  if (!NUMBER.test(text))
    return err(`Resource '${name}': '${text}' is neither a number, nor ranges, nor a set`);
  return ok({ name, type: 'SCALAR', scalar: { value: Number(text) } });
}

/** Reads attributes: numbers become scalars, `[..]` ranges, everything else text. */
export function parseAttributes(text: string): Result<readonly Attribute[], string> {
  if (text.length > TEXT_LENGTH_MAX) return err(`more than ${TEXT_LENGTH_MAX} characters`);
  const attributes: Attribute[] = [];
  for (const item of text.split(';')) {
    if (item.trim() === '') continue;
    const colon = item.indexOf(':');
    if (colon <= 0) return err(`Invalid attribute key:value pair '${item.trim()}'`);
    const name = item.slice(0, colon).trim();
    const value = item.slice(colon + 1).trim();
    if (value === '') return err(`Invalid attribute key:value pair '${item.trim()}'`);
    if (value.startsWith('{')) return err(`Attribute '${name}': sets are not supported`);
    if (value.startsWith('[')) {
      const ranges = parseRanges(value);
      if (!ranges.ok) return err(`Attribute '${name}': ${ranges.error}`);
      attributes.push({ name, type: 'RANGES', ranges: { range: ranges.value } });
    } else if (NUMBER.test(value)) {
      attributes.push({ name, type: 'SCALAR', scalar: { value: Number(value) } });
    } else {
      attributes.push({ name, type: 'TEXT', text: { value } });
    }
  }
  return ok(attributes);
}
