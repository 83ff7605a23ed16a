/**
 * What the world does to a process goes through its gate: nothing reaches one that has ended, and what reaches one
 * that is frozen waits until it goes on.
 */

export interface ProcessGate {
  readonly isAlive: boolean;
  readonly isFrozen: boolean;
  /** What waits for it. */
  readonly held: number;
  /** Does something to the process, as soon as it can take it. */
  run(action: () => void): void;
  freeze(): void;
  /** It goes on, and takes all that waited at once. */
  thaw(): void;
  /** It goes on, and takes what waited piece by piece; `later` brings each next one about. What comes meanwhile waits behind. */
  thawInTurns(later: (takeNext: () => void) => void): void;
  /** It ends; what waited is lost. */
  end(): void;
}

export function createProcessGate(): ProcessGate {
  let held: (() => void)[] = [];
  let isAlive = true;
  let isFrozen = false;

  let takesTurns = false;

  function run(action: () => void): void {
    if (!isAlive) return;
    if (isFrozen || takesTurns) held.push(action);
    else action();
  }

  function takeNext(later: (takeNext: () => void) => void): void {
    if (isFrozen || !isAlive) return;
    const next = held.shift();
    takesTurns = held.length > 0;
    if (takesTurns) later(() => takeNext(later));
    next?.();
  }

  return {
    get isAlive() {
      return isAlive;
    },
    get isFrozen() {
      return isFrozen;
    },
    get held() {
      return held.length;
    },
    run,
    freeze: () => void (isFrozen = true),
    thaw() {
      isFrozen = false;
      for (const action of held.splice(0)) run(action);
    },
    thawInTurns(later) {
      isFrozen = false;
      takesTurns = held.length > 0;
      if (takesTurns) later(() => takeNext(later));
    },
    end() {
      isAlive = false;
      held = [];
    },
  };
}
