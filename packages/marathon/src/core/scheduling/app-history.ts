/**
 * The root group as it is wanted now, and the versions that led to it.
 *
 * Every app and group keeps its own versions, removals included; the root of an earlier version is put
 * together from the newest version of each that is not later. So one change writes one small record, and
 * no record grows with the number of apps.
 *
 * Invariants: versions are timestamps that compare as text; each is later than all before it.
 */

import { compareText } from '@dcos/base';
import {
  allApps,
  allGroups,
  emptyRoot,
  orderedById,
  parentOf,
  type AppDefinition,
  type Group,
} from '../model/index.ts';
import type { RecordWrite } from './effects.ts';
import {
  appRecord,
  appRecordRemoval,
  groupRecord,
  groupRecordRemoval,
  type GroupRecord,
} from './records.ts';
import { differentApps, isSameGroup } from './root-difference.ts';

/** Removed apps and groups whose versions are still kept. */
export const REMOVED_MAX = 500;
/** Versions of a group that are kept. */
const GROUP_VERSIONS_MAX = 50;

/** Versions of one thing, oldest first; the value is undefined where it was removed. */
type Versions<T> = Map<string, T | undefined>;

export class AppHistory {
  readonly #apps = new Map<string, Versions<AppDefinition>>();
  readonly #groups = new Map<string, Versions<GroupRecord>>();
  readonly #current = new Map<string, AppDefinition>();
  readonly #versionsPerAppMax: number;
  #root: Group;

  constructor(options: { readonly versionsPerAppMax: number; readonly version: string }) {
    this.#versionsPerAppMax = options.versionsPerAppMax;
    this.#root = emptyRoot(options.version);
  }

  /** The root group as it is wanted now. */
  get root(): Group {
    return this.#root;
  }

  app(id: string): AppDefinition | undefined {
    return this.#current.get(id);
  }

  /** All apps of now, in no particular order. */
  apps(): IterableIterator<AppDefinition> {
    return this.#current.values();
  }

  get appCount(): number {
    return this.#current.size;
  }

  /** A version of an app; undefined when it is not kept. */
  appAt(id: string, version: string): AppDefinition | undefined {
    const current = this.#current.get(id);
    return current?.version === version ? current : this.#apps.get(id)?.get(version);
  }

  /** Versions of an app that exists, newest first. */
  versionsOf(id: string): readonly string[] {
    const versions = this.#apps.get(id);
    if (versions === undefined || !this.#current.has(id)) return [];
    return [...versions]
      .flatMap(([version, app]) => (app === undefined ? [] : [version]))
      .reverse();
  }

  /** Versions of the root group, newest first. */
  rootVersions(): readonly string[] {
    const versions = new Set<string>();
    for (const all of [this.#apps, this.#groups]) {
      for (const ofOne of all.values()) for (const version of ofOne.keys()) versions.add(version);
    }
    return [...versions].sort(compareText).reverse();
  }

  /** The root group as it was at a version; undefined when that is not kept. */
  rootAt(version: string): Group | undefined {
    if (version === this.#root.version) return this.#root;
    if (!this.rootVersions().includes(version)) return undefined;
    return this.#assemble(version);
  }

  /**
   * Replaces the root group.
   * @param isUsed tells which versions of an app instances still run: those are never dropped.
   * @returns what has to be stored.
   */
  replaceRoot(next: Group, isUsed: (appId: string, version: string) => boolean): RecordWrite[] {
    const writes: RecordWrite[] = [];
    const { version } = next;
    for (const [id, { target }] of differentApps(this.#root, next)) {
      if (target === undefined) {
        this.#current.delete(id);
        add(this.#apps, id, version, undefined);
        writes.push(appRecord(id, version, undefined));
        continue;
      }
      add(this.#apps, id, target.version, target);
      this.#current.set(id, target);
      writes.push(appRecord(id, target.version, target), ...this.#dropOldVersions(id, isUsed));
    }
    writes.push(...this.#replaceGroups(next));
    writes.push(...this.#dropRemoved());
    this.#root = next;
    return writes;
  }

  /** Takes in stored versions at the start; `assembleStored` comes after the last. */
  restoreApp(id: string, version: string, app: AppDefinition | undefined): void {
    add(this.#apps, id, version, app);
  }

  restoreGroup(id: string, version: string, group: GroupRecord | undefined): void {
    add(this.#groups, id, version, group);
  }

  /** Puts the root together from what was restored. */
  assembleStored(): void {
    for (const versions of this.#apps.values()) sortVersions(versions);
    for (const versions of this.#groups.values()) sortVersions(versions);
    const newest = this.rootVersions()[0];
    if (newest === undefined) return;
    this.#root = this.#assemble(newest);
    this.#current.clear();
    for (const app of allApps(this.#root)) this.#current.set(app.id, app);
  }

  #replaceGroups(next: Group): RecordWrite[] {
    const writes: RecordWrite[] = [];
    const groups = new Map(allGroups(next).map((group) => [group.id, group]));
    for (const [id, group] of groups) {
      const record = groupRecordOf(group);
      // The version of a group alone is no reason to store it again: it changes with everything below.
      const before = newestOf(this.#groups.get(id));
      if (before !== undefined && isSameGroup(before, record)) continue;
      add(this.#groups, id, next.version, record);
      writes.push(groupRecord(id, next.version, record));
      for (const version of oldest(this.#groups.get(id), GROUP_VERSIONS_MAX)) {
        this.#groups.get(id)?.delete(version);
        writes.push(groupRecordRemoval(id, version));
      }
    }
    for (const [id, versions] of this.#groups) {
      if (groups.has(id) || newestOf(versions) === undefined) continue;
      versions.set(next.version, undefined);
      writes.push(groupRecord(id, next.version, undefined));
    }
    return writes;
  }

  #dropOldVersions(id: string, isUsed: (appId: string, version: string) => boolean): RecordWrite[] {
    const versions = this.#apps.get(id);
    return oldest(versions, this.#versionsPerAppMax).flatMap((version) => {
      if (isUsed(id, version)) return [];
      versions?.delete(version);
      return [appRecordRemoval(id, version)];
    });
  }

  /** Forgets the things that were removed the longest ago, beyond the bound. */
  #dropRemoved(): RecordWrite[] {
    const limit = this.#current.size + REMOVED_MAX;
    return [
      ...dropRemoved(this.#apps, limit, appRecordRemoval),
      ...dropRemoved(this.#groups, limit, groupRecordRemoval),
    ];
  }

  #assemble(version: string): Group {
    const nodes = new Map<
      string,
      { record: GroupRecord; apps: AppDefinition[]; children: string[] }
    >();
    const ensure = (id: string, record?: GroupRecord): void => {
      const node = nodes.get(id);
      if (node !== undefined) {
        if (record !== undefined) node.record = record;
        return;
      }
      nodes.set(id, {
        record: record ?? { id, version, dependencies: [] },
        apps: [],
        children: [],
      });
      if (id === '/') return;
      ensure(parentOf(id));
      nodes.get(parentOf(id))?.children.push(id);
    };
    ensure('/');
    for (const [id, versions] of this.#groups) {
      const record = valueAt(versions, version);
      if (record !== undefined) ensure(id, record);
    }
    for (const [id, versions] of this.#apps) {
      const app = valueAt(versions, version);
      if (app === undefined) continue;
      ensure(parentOf(id));
      nodes.get(parentOf(id))?.apps.push(app);
    }
    const build = (id: string): Group => {
      const node = nodes.get(id) ?? {
        record: { id, version: '', dependencies: [] },
        apps: [],
        children: [],
      };
      const apps = orderedById(node.apps.map((app) => [app.id, app] as const));
      const groups = orderedById(node.children.map((child) => [child, build(child)] as const));
      // A group is as new as the newest thing in it.
      const versions = [node.record, ...apps.values(), ...groups.values()].map(
        (part) => part.version,
      );
      return {
        id,
        version: id === '/' ? version : (versions.sort(compareText).at(-1) ?? version),
        apps,
        groups,
        dependencies: node.record.dependencies,
        ...(node.record.enforceRole === undefined ? {} : { enforceRole: node.record.enforceRole }),
      };
    };
    return build('/');
  }
}

function add<T>(
  all: Map<string, Versions<T>>,
  id: string,
  version: string,
  value: T | undefined,
): void {
  const versions = all.get(id) ?? new Map<string, T | undefined>();
  versions.set(version, value);
  all.set(id, versions);
}

function sortVersions<T>(versions: Versions<T>): void {
  const sorted = [...versions].sort(([left], [right]) => compareText(left, right));
  versions.clear();
  for (const [version, value] of sorted) versions.set(version, value);
}

function lastVersion(versions: Versions<unknown>): string {
  return [...versions.keys()].at(-1) ?? '';
}

function newestOf<T>(versions: Versions<T> | undefined): T | undefined {
  return versions === undefined ? undefined : [...versions.values()].at(-1);
}

/** The value at a version: that of the newest version that is not later. */
function valueAt<T>(versions: Versions<T>, version: string): T | undefined {
  let value: T | undefined;
  for (const [candidate, candidateValue] of versions) {
    if (candidate > version) break;
    value = candidateValue;
  }
  return value;
}

/** The versions beyond a bound, oldest first. */
function oldest<T>(versions: Versions<T> | undefined, max: number): string[] {
  if (versions === undefined || versions.size <= max) return [];
  return [...versions.keys()].slice(0, versions.size - max);
}

function dropRemoved<T>(
  all: Map<string, Versions<T>>,
  limit: number,
  removal: (id: string, version: string) => RecordWrite,
): RecordWrite[] {
  if (all.size <= limit) return [];
  const removed = [...all].filter(([, versions]) => newestOf(versions) === undefined);
  removed.sort(([, left], [, right]) => compareText(lastVersion(left), lastVersion(right)));
  return removed.slice(0, Math.max(0, removed.length - REMOVED_MAX)).flatMap(([id, versions]) => {
    all.delete(id);
    return [...versions.keys()].map((version) => removal(id, version));
  });
}

function groupRecordOf(group: Group): GroupRecord {
  return {
    id: group.id,
    version: group.version,
    dependencies: [...group.dependencies],
    ...(group.enforceRole === undefined ? {} : { enforceRole: group.enforceRole }),
  };
}
