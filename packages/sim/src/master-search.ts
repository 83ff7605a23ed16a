/** How an agent of the world comes to its master: through a detector of its process, as the real connection does. */

import type { AgentEvent } from '@dcos/agent/core';
import type { AcceptAgent } from './simulated-master.ts';

/** A master that an agent was told to go to. */
export interface MasterSeen {
  readonly name: string;
  readonly accept: AcceptAgent;
}

/** Where an agent finds its master: its process's own view, which may be behind. */
export interface AgentDetector {
  /** Gives the master to try next, once there is one. The returned function takes the wish back. */
  next(give: (master: MasterSeen) => void): () => void;
  /** Calls back when another one leads. */
  onChange(listener: (name: string) => void): void;
  /** The process that looks has ended. */
  end(): void;
}

/** Finds the same one for ever. */
export function alwaysAt(accept: AcceptAgent): AgentDetector {
  return {
    next(give) {
      give({ name: 'master', accept });
      return () => undefined;
    },
    onChange: () => undefined,
    end: () => undefined,
  };
}

export interface MasterSearchPlan {
  readonly open: (master: MasterSeen) => void;
  readonly isConnected: () => boolean;
  /** Breaks the connection. */
  readonly leave: () => void;
  readonly tell: (event: AgentEvent) => void;
}

export interface MasterSearch {
  /** A new process looks for masters. */
  begin(detector: AgentDetector): void;
  /** Opens a connection to the master that is known, or to the first that is found. */
  next(): void;
  /** The process has ended. */
  end(): void;
}

export function createMasterSearch({
  open,
  isConnected,
  leave,
  tell,
}: MasterSearchPlan): MasterSearch {
  let detector: AgentDetector | undefined;
  /** Whom the connection was opened to, before any redirect. */
  let target = '';
  let cancelWait: (() => void) | undefined;

  function changed(leader: string): void {
    tell({ kind: 'masterChanged' });
    if (cancelWait !== undefined) {
      // Each comes after a wait of its own.
      cancelWait();
      cancelWait = undefined;
      tell({ kind: 'disconnected', reason: 'another master leads' });
    } else if (isConnected() && leader !== target) leave();
  }

  return {
    begin(found) {
      detector = found;
      detector.onChange(changed);
    },
    next() {
      let isGiven = false;
      const cancel = detector?.next((master) => {
        isGiven = true;
        cancelWait = undefined;
        target = master.name;
        open(master);
      });
      if (!isGiven) cancelWait = cancel;
    },
    end() {
      cancelWait?.();
      cancelWait = undefined;
      detector?.end();
    },
  };
}
