import { afterEach, expect, test } from 'vitest';
import { followLog } from './log-source.ts';
import type { LogState } from './log-source.ts';

const original = globalThis.fetch;

afterEach(() => {
  globalThis.fetch = original;
});

/** A stream with these lines, each with its text as the cursor, that ends or breaks. */
function stream(lines: readonly string[], breaks: boolean): Response {
  const events = lines.map(
    (line) => `data: ${JSON.stringify({ fields: { MESSAGE: line }, cursor: line })}\n\n`,
  );
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const event = events.shift();
      if (event !== undefined) controller.enqueue(new TextEncoder().encode(event));
      else if (breaks) controller.error(new TypeError('network error'));
      else controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

/** Follows until `wanted` was delivered; answers are given in order. */
async function follow(
  answers: readonly (() => Response)[],
  wanted: string,
): Promise<{ lines: string[]; urls: string[]; states: LogState[] }> {
  const seen = { lines: [] as string[], urls: [] as string[], states: [] as LogState[] };
  const left = [...answers];
  globalThis.fetch = (input) => {
    seen.urls.push(input instanceof Request ? input.url : input.toString());
    const answer = left.shift();
    return answer === undefined
      ? Promise.reject(new TypeError('no more answers'))
      : Promise.resolve(answer());
  };
  const end = new AbortController();
  await followLog({
    taskId: 't',
    file: 'stdout',
    sandbox: { agentId: 'a', frameworkId: 'f', executorId: 't' },
    signal: end.signal,
    onState: (state) => seen.states.push(state),
    onLines(lines) {
      seen.lines.push(...lines);
      if (lines.includes(wanted)) end.abort();
    },
  });
  return seen;
}

test('a stream that breaks is taken up where it ended, also after a while without an answer', async () => {
  const away = () => new Response('no such task yet', { status: 404 });
  const answers = [() => stream(['a', 'b'], true), away, () => stream(['b', 'c'], false)];
  const { lines, urls, states } = await follow(answers, 'c');
  expect(lines).toEqual(['a', 'b', 'c']);
  expect(states).toContainEqual({ kind: 'failed', message: 'The cluster cannot be reached.' });
  expect(urls.slice(1)).toEqual(
    Array.from({ length: 2 }, () => '/system/v1/logs/v2/task/t/file/stdout?cursor=b'),
  );
}, 20_000);
