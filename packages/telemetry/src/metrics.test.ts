import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('both faces show the same readings', async () => {
  const metrics = createMetrics();
  metrics.gauge('master/uptime_secs', () => 12.5);
  metrics.counter('master/tasks_lost').increment(3);
  expect(metrics.snapshot()).toEqual({ 'master/uptime_secs': 12.5, 'master/tasks_lost': 3 });
  const text = await metrics.prometheus();
  expect(text).toContain('master_uptime_secs 12.5');
  expect(text).toContain('master_tasks_lost_total 3');
  expect(text).toContain('# TYPE master_uptime_secs gauge');
  expect(text).toContain('# TYPE master_tasks_lost_total counter');
});

test('a gauge without a reading is left out, not shown as zero', () => {
  const metrics = createMetrics();
  metrics.gauge('a', () => Number.NaN);
  expect(metrics.snapshot()).toEqual({});
});

test('a timer shows its last value and percentiles', () => {
  const metrics = createMetrics();
  const timer = metrics.timer('allocator/run');
  for (let value = 1; value <= 100; value++) timer.observe(value);
  expect(metrics.snapshot()).toMatchObject({
    'allocator/run_ms': 100,
    'allocator/run_ms/count': 100,
    'allocator/run_ms/p50': 51,
    'allocator/run_ms/max': 100,
  });
});
