import { expect, test } from 'vitest';
import type { CommandInfo } from '@dcos/wire';
import { imageDirectory, imageEnvironment, imageVector } from './image-command.ts';
import type { ImageConfig } from './image-port.ts';

const E = ['/entry', 'e'];
const C = ['/cmd', 'c'];

test.each<[command: CommandInfo, image: ImageConfig, vector: readonly string[]]>([
  [{ value: 'run' }, { Entrypoint: E, Cmd: C }, ['/bin/sh', '-c', 'run']],
  [{ shell: false }, { Cmd: C }, C],
  [{ shell: false }, { Entrypoint: E }, E],
  [{ shell: false }, { Entrypoint: E, Cmd: C }, [...E, ...C]],
  [{ shell: false, arguments: ['x'] }, { Cmd: C }, ['/cmd', 'x']],
  [{ shell: false, arguments: ['x'] }, { Entrypoint: E, Cmd: C }, [...E, 'x']],
  [{ shell: false, value: '/p' }, { Entrypoint: E, Cmd: C }, ['/p']],
  [{ shell: false, value: '/p', arguments: ['p', 'x'] }, { Entrypoint: E }, ['/p', 'x']],
])('%j with %j', (command, image, vector) => {
  expect(imageVector(command, image)).toEqual(vector);
});

test.each<[command: CommandInfo, image: ImageConfig]>([
  [{ shell: false }, {}],
  [
    { shell: false, arguments: ['x'] },
    { Entrypoint: null, Cmd: null },
  ],
  [{}, { Entrypoint: E }],
  [{ shell: false, arguments: ['a\0b'] }, { Entrypoint: E }],
])('nothing to run: %j with %j', (command, image) => {
  expect(() => imageVector(command, image)).toThrow();
});

test('variables of the task are over those of the image', () => {
  const image = { Env: ['A=1', 'B=x=y', 'PATH=/opt', 'broken'] };
  expect(imageEnvironment(image, { A: '2' })).toEqual({ A: '2', B: 'x=y', PATH: '/opt' });
  expect(imageEnvironment({}, {})['PATH']).toContain('/usr/bin');
});

test.each([
  ['/work', '/work'],
  ['', '/sandbox'],
  ['relative', '/sandbox'],
])('a working directory of %j', (WorkingDir, directory) => {
  expect(imageDirectory({ WorkingDir }, '/sandbox')).toBe(directory);
});
