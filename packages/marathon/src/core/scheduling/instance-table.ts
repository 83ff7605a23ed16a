/** All instances, by id and by app. Iteration order is the order of creation. */

import { isToBeLaunched, type Instance } from './instance.ts';

const NONE: ReadonlyMap<string, Instance> = new Map();

export class InstanceTable {
  readonly #byId = new Map<string, Instance>();
  readonly #byApp = new Map<string, Map<string, Instance>>();
  /** App id → instances that wait for a launch; no entry for zero. */
  readonly #toBeLaunched = new Map<string, number>();

  /** Role → instances that have it; no entry for zero. */
  readonly #roles = new Map<string, number>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Instance | undefined {
    return this.#byId.get(id);
  }

  /** The instances of an app. */
  of(appId: string): Instance[] {
    return [...(this.#byApp.get(appId) ?? NONE).values()];
  }

  countOf(appId: string): number {
    return this.#byApp.get(appId)?.size ?? 0;
  }

  all(): IterableIterator<Instance> {
    return this.#byId.values();
  }

  /** How many instances of an app wait for a launch. */
  toBeLaunchedOf(appId: string): number {
    return this.#toBeLaunched.get(appId) ?? 0;
  }

  /** Roles that instances have. */
  roles(): IterableIterator<string> {
    return this.#roles.keys();
  }

  /** Apps that have instances. */
  apps(): IterableIterator<string> {
    return this.#byApp.keys();
  }

  put(instance: Instance): void {
    this.#recount(this.#byId.get(instance.id), instance);
    this.#byId.set(instance.id, instance);
    const ofApp = this.#byApp.get(instance.appId) ?? new Map<string, Instance>();
    ofApp.set(instance.id, instance);
    this.#byApp.set(instance.appId, ofApp);
  }

  delete(id: string): void {
    const instance = this.#byId.get(id);
    if (instance === undefined) return;
    this.#recount(instance, undefined);
    this.#byId.delete(id);
    const ofApp = this.#byApp.get(instance.appId);
    ofApp?.delete(id);
    if (ofApp?.size === 0) this.#byApp.delete(instance.appId);
  }

  #recount(before: Instance | undefined, after: Instance | undefined): void {
    const waited = before !== undefined && isToBeLaunched(before);
    const waits = after !== undefined && isToBeLaunched(after);
    const appId = (before ?? after)?.appId ?? '';
    if (waited !== waits) addTo(this.#toBeLaunched, appId, waits ? 1 : -1);
    if (before?.role === after?.role) return;
    if (before !== undefined) addTo(this.#roles, before.role, -1);
    if (after !== undefined) addTo(this.#roles, after.role, 1);
  }
}

function addTo(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
