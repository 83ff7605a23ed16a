/** Marathon's event stream, for benchmarks that wait for an instance to run. */

import type { BoxProcess } from '@dcos/testkit';

export interface StatusEvents {
  /** Resolves when an instance of the app is told to run. */
  running(appId: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the stream; what happens from now on is seen. */
export async function openStatusEvents(box: BoxProcess): Promise<StatusEvents> {
  const abort = new AbortController();
  const response = await fetch(
    `${box.ready.url}/service/marathon/v2/events?event_type=status_update_event`,
    { headers: { accept: 'text/event-stream' }, signal: abort.signal },
  );
  if (response.body === null) throw new Error('no event stream');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async running(appId) {
      for (;;) {
        const frames = text.split('\n\n');
        text = frames.pop() ?? '';
        if (frames.some((frame) => tellsRunning(frame, appId))) return;
        const { value, done } = await reader.read();
        if (done) throw new Error('the event stream ended');
        text += value;
      }
    },
    close: async () => abort.abort(),
  };
}

function tellsRunning(frame: string, appId: string): boolean {
  const data = /^data: (.*)$/m.exec(frame)?.[1];
  if (data === undefined) return false;
  const event = JSON.parse(data) as { readonly appId?: string; readonly taskStatus?: string };
  return event.appId === `/${appId}` && event.taskStatus === 'TASK_RUNNING';
}
