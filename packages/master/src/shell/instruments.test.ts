import { expect, test } from 'vitest';
import { createMetrics } from '@dcos/telemetry';
import { Instruments } from './instruments.ts';

function measured() {
  const metrics = createMetrics();
  const clock = { nowMs: 0 };
  const queues = { effects: () => 3, writes: () => 1, requests: () => 2 };
  return { metrics, clock, instruments: new Instruments(metrics, () => clock.nowMs, queues) };
}

test('a run is late by the time from when it was due to when it began', () => {
  const { metrics, clock, instruments } = measured();
  instruments.timerSet('allocate-all', 1000);
  instruments.timerSet('allocate', 0);
  expect(metrics.snapshot()).toMatchObject({ 'allocator/mesos/event_queue_dispatches': 1 });
  clock.nowMs = 7;
  const handled = instruments.timerFired('allocate');
  clock.nowMs = 12;
  handled();
  expect(metrics.snapshot()).toMatchObject({
    'allocator/mesos/event_queue_dispatches': 0,
    'allocator/event_queue_dispatches': 0,
    'allocator/mesos/allocation_run_latency_ms': 7,
    'allocator/mesos/allocation_run_ms': 5,
  });
  clock.nowMs = 999.5;
  instruments.timerFired('allocate-all')();
  expect(metrics.snapshot()).toMatchObject({
    'allocator/mesos/allocation_run_latency_ms': 0,
    'allocator/mesos/allocation_run_ms/count': 2,
  });
});

test('other timers are nobody’s run', () => {
  const { metrics, instruments } = measured();
  instruments.timerSet('ping/a', 0);
  instruments.timerFired('ping/a')();
  expect(metrics.snapshot()).not.toHaveProperty('allocator/mesos/allocation_run_ms');
});

test('the size of the registry follows what is read, replaced and deleted', () => {
  const { metrics, instruments } = measured();
  const size = (): number | undefined => metrics.snapshot()['registrar/registry_size_bytes'];
  instruments.registryRead({ sizes: [{ key: 'a', bytes: 10 }], tookMs: 5 });
  expect(size()).toBe(11);
  instruments.registryWritten([{ kind: 'put', key: 'a', value: new Uint8Array(2) }], 1);
  instruments.registryWritten([{ kind: 'put', key: 'ü', value: new Uint8Array(3) }], 4);
  expect(size()).toBe(3 + 5);
  instruments.registryWritten([{ kind: 'delete', key: 'a' }], 1);
  expect(size()).toBe(5);
  expect(metrics.snapshot()).toMatchObject({
    'registrar/state_fetch_ms': 5,
    'registrar/state_store_ms/max': 4,
    'registrar/state_store_ms/count': 3,
  });
});

test('queues are read when somebody asks', () => {
  const { metrics } = measured();
  expect(metrics.snapshot()).toMatchObject({
    'master/event_queue_dispatches': 3,
    'master/event_queue_http_requests': 2,
    'registrar/queued_operations': 1,
  });
});
