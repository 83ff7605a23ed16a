import { expect, test } from 'vitest';
import { containerId, frameworkId, taskId } from '@dcos/base';
import type { TaskRecord } from '../core/index.ts';
import { DEFAULT_PATH, taskEnvironment } from './task-environment.ts';

const plain: TaskRecord = {
  frameworkId: frameworkId('f'),
  taskId: taskId('t'),
  info: { name: 't', task_id: { value: 't' }, agent_id: { value: 'a' } },
  containerId: containerId('c'),
  runtime: 'process',
  state: 'TASK_STAGING',
  statuses: [],
  updates: [],
  launchedAt: 0,
  ipAddresses: [],
};
const withImage: TaskRecord = { ...plain, runtime: 'docker' };
const withPath: TaskRecord = {
  ...plain,
  info: {
    ...plain.info,
    command: { environment: { variables: [{ name: 'PATH', value: '/of/task' }] } },
  },
};

const cases: readonly (readonly [string, TaskRecord, string | undefined, string | undefined])[] = [
  ['nobody names one', plain, undefined, DEFAULT_PATH],
  ['the operator names one', plain, '/of/operator', '/of/operator'],
  ['the task names one', withPath, '/of/operator', '/of/task'],
  ['an image brings its own', withImage, undefined, undefined],
  ['an image brings its own, whatever the operator names', withImage, '/of/operator', undefined],
];

test.each(cases)('search path of programs: %s', (_what, task, operators, expected) => {
  const environment = taskEnvironment({
    task,
    framework: { name: 'f', user: 'root' },
    agentId: 'a',
    ip: '10.0.0.1',
    port: 5051,
    sandboxPath: '/sandbox',
    shutdownGraceMs: 5_000,
    extra: { ...(operators !== undefined && { PATH: operators }), SITE: 'here' },
  });
  expect(environment['PATH']).toBe(expected);
  expect(environment['SITE']).toBe('here');
});
