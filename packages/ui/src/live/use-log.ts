/** A followed log as a bounded list of lines for React; rendered at most once per frame. */
import { useEffect, useState } from 'react';
import type { SandboxAddress } from '../api/mesos.ts';
import { followLog } from './log-source.ts';
import type { LogFile, LogState } from './log-source.ts';

/** Lines kept; older ones fall out at the top. */
export const LOG_LINES_MAX = 20_000;

export interface LogView {
  readonly lines: readonly string[];
  /** Number of the first kept line, from 1: grows when lines fall out. */
  readonly firstNumber: number;
  readonly state: LogState;
}

const EMPTY: LogView = { lines: [], firstNumber: 1, state: { kind: 'connecting' } };

export interface UseLogOptions {
  readonly taskId: string | undefined;
  readonly file: LogFile;
  readonly sandbox: SandboxAddress | undefined;
}

export function useLog({ taskId, file, sandbox }: UseLogOptions): LogView {
  const [view, setView] = useState<LogView>(EMPTY);
  const agentId = sandbox?.agentId;
  const frameworkId = sandbox?.frameworkId;
  const executorId = sandbox?.executorId;

  useEffect(() => {
    setView(EMPTY);
    if (taskId === undefined) return undefined;
    const controller = new AbortController();
    let waiting: string[] = [];
    let frame: number | undefined;
    const flush = (): void => {
      frame = undefined;
      const added = waiting;
      waiting = [];
      setView((before) => append(before, added));
    };
    void followLog({
      taskId,
      file,
      sandbox:
        agentId === undefined || frameworkId === undefined || executorId === undefined
          ? undefined
          : { agentId, frameworkId, executorId },
      signal: controller.signal,
      onLines: (lines) => {
        waiting.push(...lines);
        frame ??= requestAnimationFrame(flush);
      },
      onState: (state) => setView((before) => ({ ...before, state })),
    });
    return () => {
      controller.abort();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [taskId, file, agentId, frameworkId, executorId]);

  return view;
}

function append(view: LogView, added: readonly string[]): LogView {
  const all = [...view.lines, ...added];
  const surplus = Math.max(0, all.length - LOG_LINES_MAX);
  return {
    ...view,
    lines: surplus === 0 ? all : all.slice(surplus),
    firstNumber: view.firstNumber + surplus,
  };
}
