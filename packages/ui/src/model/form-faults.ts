/**
 * From the server's faults to the form: which section of the form shows a path, and the texts by
 * path. Paths come as `/constraints(0)` or `/container/docker/image` (Marathon reference §0).
 */
import type { FieldFault } from '../api/http.ts';

export type FormSection =
  | 'general'
  | 'placement'
  | 'networking'
  | 'health'
  | 'environment'
  | 'more';

const SECTION_OF_MEMBER: Readonly<Record<string, FormSection>> = {
  id: 'general',
  cmd: 'general',
  args: 'general',
  instances: 'general',
  cpus: 'general',
  mem: 'general',
  disk: 'general',
  gpus: 'general',
  constraints: 'placement',
  acceptedResourceRoles: 'placement',
  role: 'placement',
  networks: 'networking',
  portDefinitions: 'networking',
  ports: 'networking',
  requirePorts: 'networking',
  ipAddress: 'networking',
  healthChecks: 'health',
  readinessChecks: 'health',
  check: 'health',
  env: 'environment',
  labels: 'environment',
  secrets: 'environment',
};

/** The section in which a fault is shown. */
export function sectionOfPath(path: string): FormSection {
  const keys = pathKeys(path);
  const [first = ''] = keys;
  if (first === 'container') return keys.includes('portMappings') ? 'networking' : 'general';
  if (first === '') return 'general';
  return SECTION_OF_MEMBER[first] ?? 'more';
}

/** `/constraints(0)` → `['constraints', '0']`. */
export function pathKeys(path: string): readonly string[] {
  return path
    .replaceAll(/\((\d+)\)/g, '/$1')
    .split('/')
    .filter((key) => key !== '');
}

/** Number of faults per section: the badges on the form's tabs. */
export function faultsBySection(
  faults: readonly FieldFault[],
): Readonly<Partial<Record<FormSection, number>>> {
  const counts: Partial<Record<FormSection, number>> = {};
  for (const fault of faults) {
    const section = sectionOfPath(fault.path);
    counts[section] = (counts[section] ?? 0) + 1;
  }
  return counts;
}

/** The text for one field: faults at the path itself or below it. */
export function faultAt(
  faults: readonly FieldFault[],
  keys: readonly (string | number)[],
): string | undefined {
  const wanted = keys.map(String);
  const texts = faults
    .filter((fault) => {
      const actual = pathKeys(fault.path);
      return wanted.every((key, index) => actual[index] === key) && actual.length >= wanted.length;
    })
    .flatMap((fault) => fault.errors.map(plainFault));
  return texts.length === 0 ? undefined : texts.join(' ');
}

const PLAIN: Readonly<Record<string, string>> = {
  'error.path.missing': 'This is required.',
  'error.expected.jsstring': 'Must be text.',
  'error.expected.jsnumber': 'Must be a number.',
  'error.expected.jsarray': 'Must be a list.',
  'error.expected.jsobject': 'Must be an object.',
  'error.expected.jsboolean': 'Must be true or false.',
  'error.expected.int': 'Must be a whole number.',
  'error.minLength': 'Too short.',
  'error.maxLength': 'Too long.',
  'error.min': 'Too small.',
  'error.max': 'Too large.',
  'error.pattern': 'Has characters that are not allowed here.',
  'error.unknown.enum.literal': 'Not one of the known values.',
};

/** Plain words for the server's schema tokens; other texts stay as they are. */
export function plainFault(text: string): string {
  return PLAIN[text] ?? text;
}
