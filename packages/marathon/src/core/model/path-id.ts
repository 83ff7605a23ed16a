/**
 * Path ids: the names of apps and groups, such as `/shop/cart`.
 *
 * Invariants: a `PathId` begins with `/`, has no empty, `.` or `..` segment and no trailing slash; the root
 * is `/`. Segments hold no `_`, so that the form used in task ids can be read back.
 * Source: behaviour of Marathon 1.10.
 */

import { compareText } from '@dcos/base';
import type { PathId } from './app-definition.ts';

export const ROOT_PATH: PathId = '/';

/**
 * Longest accepted id in characters; bounds the depth of the tree of groups too. Ids are part of keys in the
 * store, where each slash takes three characters and a key has 1024 at most.
 */
export const PATH_ID_LENGTH_MAX = 400;

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const SEGMENT = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const RESERVED_LAST = new Set(['restart', 'tasks', 'versions', '.', '..']);

/** True when every segment may be part of an id; `.` and `..` may, and slashes do not matter. */
export function isPathText(text: string): boolean {
  return splitPath(text).every(
    (segment) => segment === '.' || segment === '..' || SEGMENT.test(segment),
  );
}

/**
 * The absolute form of an id that passed {@link isPathText}; a relative one is below `base`. `..` at the
 * root stays there.
 */
export function resolvePath(text: string, base: PathId = ROOT_PATH): PathId {
  const resolved: string[] = text.startsWith('/') ? [] : [...segmentsOf(base)];
  for (const segment of splitPath(text)) {
    if (segment === '..') resolved.pop();
    else if (segment !== '.') resolved.push(segment);
  }
  return `/${resolved.join('/')}`;
}

/** An id from a URL or a body as a path id; undefined when it is not one. */
export function parsePathId(text: string, base: PathId = ROOT_PATH): PathId | undefined {
  return isPathText(text) ? resolvePath(text, base) : undefined;
}

/** Why a text cannot name an app or a group; undefined when it can. */
export function pathProblem(text: string): string | undefined {
  const last = splitPath(text).at(-1);
  if (last !== undefined && RESERVED_LAST.has(last)) {
    return `must not end with any of [${[...RESERVED_LAST].join(', ')}]`;
  }
  return text.length > PATH_ID_LENGTH_MAX
    ? `must have at most ${PATH_ID_LENGTH_MAX} characters`
    : undefined;
}

/** The segments of an id; none for the root. */
export function segmentsOf(id: PathId): readonly string[] {
  return id === ROOT_PATH ? [] : id.slice(1).split('/');
}

/** The enclosing group; the root is its own. */
export function parentOf(id: PathId): PathId {
  const end = id.lastIndexOf('/');
  return end <= 0 ? ROOT_PATH : id.slice(0, end);
}

export function isDirectChild(id: PathId, parent: PathId): boolean {
  return id !== ROOT_PATH && parentOf(id) === parent;
}

/** True for the id itself and for everything below it. */
export function isWithin(id: PathId, ancestor: PathId): boolean {
  return ancestor === ROOT_PATH || id === ancestor || id.startsWith(`${ancestor}/`);
}

/** The top-level group that an id is in; undefined for the root and for what is directly below it. */
export function topLevelGroupOf(id: PathId): PathId | undefined {
  const segments = segmentsOf(id);
  return segments.length < 2 ? undefined : `/${segments[0] ?? ''}`;
}

/** Orders ids by their lists of segments. */
export function comparePathIds(left: PathId, right: PathId): number {
  const others = segmentsOf(right);
  for (const [index, segment] of segmentsOf(left).entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    const order = compareText(segment, other);
    if (order !== 0) return order;
  }
  return segmentsOf(left).length - others.length;
}

/** The form used in task ids: `/a/b` is `a_b`. */
export function safePath(id: PathId): string {
  return segmentsOf(id).join('_');
}

/** Reads {@link safePath} back. */
export function fromSafePath(text: string): PathId {
  return `/${text.replaceAll('_', '/')}`;
}

/** The form used as a task's name and in discovery: `/a/b` is `b.a`. */
export function hostnameOf(id: PathId): string {
  return [...segmentsOf(id)].reverse().join('.');
}

function splitPath(text: string): readonly string[] {
  return text.split('/').filter((segment) => segment !== '');
}
