import { expect, test } from 'vitest';
import type { Step } from '../core/plan.ts';
import { executePlan, type StepEvent } from './execute-plan.ts';

const step = (id: string, ...after: readonly string[]): Step => ({
  kind: 'stop',
  id,
  host: 'h',
  after,
  unit: id,
});

test('a failed step holds up what waits for it, and nothing else', async () => {
  const events: string[] = [];
  const result = await executePlan(
    [step('a'), step('b', 'a'), step('c', 'b'), step('d'), step('e', 'd')],
    {
      parallelMax: 10,
      signal: new AbortController().signal,
      onEvent: ({ kind, step: { id } }: StepEvent) => events.push(`${id} ${kind}`),
      async perform({ id }) {
        if (id === 'a') throw new Error('broken');
      },
    },
  );
  expect(result).toEqual({ failed: ['a'], held: ['b', 'c'] });
  expect(events.filter((event) => event.endsWith('done'))).toEqual(['d done', 'e done']);
});

test('no more steps run at a time than are allowed', async () => {
  let running = 0;
  let most = 0;
  const steps = Array.from({ length: 12 }, (_, index) => step(String(index)));
  await executePlan(steps, {
    parallelMax: 3,
    signal: new AbortController().signal,
    onEvent: () => undefined,
    async perform() {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
    },
  });
  expect(most).toBe(3);
});

test('after an interruption nothing begins, and what runs comes to its end', async () => {
  const interruption = new AbortController();
  const ended: string[] = [];
  const result = await executePlan([step('a'), step('b', 'a')], {
    parallelMax: 10,
    signal: interruption.signal,
    onEvent: ({ kind, step: { id } }) => void (kind === 'done' && ended.push(id)),
    async perform() {
      interruption.abort();
    },
  });
  expect(ended).toEqual(['a']);
  expect(result).toEqual({ failed: [], held: ['b'] });
});
