import { describe, expect, test } from 'vitest';
import type { App } from '../api/types.ts';
import { isEmptyFilter, matchesFilter, parseServiceFilter, toggleToken } from './service-filter.ts';
import type { ServiceStatus } from './service-status.ts';

const WEB: App = {
  id: '/shop/web',
  instances: 1,
  cpus: 1,
  mem: 1,
  tasksRunning: 1,
  tasksHealthy: 1,
  healthChecks: [{}],
  labels: { team: 'shop', canary: '' },
};

function matches(text: string, app: App = WEB, status: ServiceStatus = 'running'): boolean {
  return matchesFilter(parseServiceFilter(text), app, status);
}

describe('query language', () => {
  test.each([
    ['', true],
    ['is:running', true],
    ['is:waiting', false],
    ['is:waiting is:running', true],
    ['is:healthy', true],
    ['is:running is:unhealthy', false],
    ['has:healthchecks', true],
    ['no:healthchecks', false],
    ['no:volumes', true],
    ['label:team', true],
    ['label:team=shop', true],
    ['label:team=data', false],
    ['label:canary', true],
    ['web', true],
    ['shpwb', true],
    ['web is:running label:team=shop', true],
    ['database', false],
  ])('%s → %s', (text, expected) => {
    expect(matches(text)).toBe(expected);
  });

  test('stopped is another word for suspended', () => {
    expect(matches('is:stopped', WEB, 'suspended')).toBe(true);
  });

  test('tokens without meaning are reported and do not filter', () => {
    const filter = parseServiceFilter('is:purple has:wings web');
    expect(filter.unknown).toEqual(['is:purple', 'has:wings']);
    expect(matches('is:purple')).toBe(true);
  });

  test('an empty text is the empty filter', () => {
    expect(isEmptyFilter(parseServiceFilter('   '))).toBe(true);
    expect(isEmptyFilter(parseServiceFilter('a'))).toBe(false);
  });

  test('chips add and remove their token', () => {
    expect(toggleToken('web', 'is:running')).toBe('web is:running');
    expect(toggleToken('web is:running', 'is:running')).toBe('web');
  });
});
