import { describe, expect, test } from 'vitest';
import type { JsonObject } from '@dcos/base';
import {
  editableDefinition,
  formatDefinition,
  getIn,
  networkModeOf,
  objectOfRows,
  parseDefinition,
  portsPath,
  rowsAt,
  setIn,
  submittableDefinition,
  withNetworkMode,
} from './app-json.ts';

const DEFINITION: JsonObject = {
  id: '/web',
  'x-custom': { kept: [1, 2, { deep: true }] },
  cpus: 0.5,
  healthChecks: [{ protocol: 'HTTP', 'x-more': 1 }, { protocol: 'TCP' }],
};

describe('lenses on the definition', () => {
  test('writing a member keeps unknown members, their content and their order', () => {
    const changed = setIn(DEFINITION, ['cpus'], 2);
    expect(Object.keys(changed)).toEqual(Object.keys(DEFINITION));
    expect(changed['x-custom']).toBe(DEFINITION['x-custom']);
    expect(changed['cpus']).toBe(2);
    expect(DEFINITION['cpus']).toBe(0.5);
  });

  test('writing inside a list keeps what the form does not know', () => {
    const changed = setIn(DEFINITION, ['healthChecks', 0, 'path'], '/health');
    expect(getIn(changed, ['healthChecks', 0])).toEqual({
      protocol: 'HTTP',
      'x-more': 1,
      path: '/health',
    });
    expect(getIn(changed, ['healthChecks', 1])).toEqual({ protocol: 'TCP' });
  });

  test('removing a member removes the container that became empty, not its neighbours', () => {
    const one = setIn({ id: '/a' }, ['container', 'docker', 'image'], 'python:3');
    expect(one).toEqual({ id: '/a', container: { docker: { image: 'python:3' } } });
    expect(setIn(one, ['container', 'docker', 'image'], undefined)).toEqual({ id: '/a' });
    const two = setIn(one, ['container', 'type'], 'DOCKER');
    expect(setIn(two, ['container', 'docker', 'image'], undefined)).toEqual({
      id: '/a',
      container: { type: 'DOCKER' },
    });
  });

  test('reading a document of another shape gives nothing instead of failing', () => {
    expect(getIn({ env: 'oops' }, ['env', 'A'])).toBeUndefined();
    expect(getIn({ env: [1] }, ['env', 'A'])).toBeUndefined();
    expect(rowsAt({ env: 7 }, ['env'])).toEqual([]);
  });

  test('form and JSON meet: text → document → text is the same', () => {
    const text = formatDefinition(DEFINITION);
    const parsed = parseDefinition(text);
    expect(parsed.ok && formatDefinition(parsed.value)).toBe(text);
  });

  test('bad text is refused with a reason, a list is no definition', () => {
    expect(parseDefinition('{"id": }').ok).toBe(false);
    expect(parseDefinition('[]')).toEqual({
      ok: false,
      message: 'An app definition is a JSON object.',
    });
  });

  test('rows without a name are not written, secrets stay objects', () => {
    const rows = rowsAt({ env: { A: '1', S: { secret: 's' } } }, ['env']);
    expect(objectOfRows([...rows, { name: '', value: 'x' }])).toEqual({
      A: '1',
      S: { secret: 's' },
    });
    expect(objectOfRows([{ name: '', value: '' }])).toBeUndefined();
  });
});

describe('what is sent', () => {
  test('members that only answers have are left out when editing', () => {
    const app = { ...DEFINITION, tasksRunning: 3, deployments: [], version: 'v', user: null };
    expect(editableDefinition(app)).toEqual(DEFINITION);
  });

  test('an untouched command is not sent', () => {
    expect(submittableDefinition({ id: '/a', cmd: '' })).toEqual({ id: '/a' });
  });
});

describe('network mode', () => {
  test('both notations are understood', () => {
    expect(networkModeOf({})).toBe('host');
    expect(networkModeOf({ networks: [{ mode: 'container/bridge' }] })).toBe('bridge');
    expect(networkModeOf({ container: { docker: { network: 'BRIDGE' } } })).toBe('bridge');
  });

  test('ports are read where the classic notation has them', () => {
    const classic = { container: { docker: { network: 'BRIDGE', portMappings: [] } } };
    expect(portsPath(classic)).toEqual(['container', 'docker', 'portMappings']);
  });

  test('changing the mode moves the ports and keeps their names', () => {
    const host: JsonObject = { portDefinitions: [{ port: 8080, name: 'http', protocol: 'tcp' }] };
    const bridge = withNetworkMode(host, 'bridge');
    expect(bridge).toEqual({
      networks: [{ mode: 'container/bridge' }],
      container: {
        portMappings: [{ containerPort: 8080, name: 'http', protocol: 'tcp', hostPort: 0 }],
      },
    });
    expect(withNetworkMode(bridge, 'host')).toEqual({
      networks: [{ mode: 'host' }],
      portDefinitions: [{ port: 0, name: 'http', protocol: 'tcp' }],
    });
  });

  test('leaving the classic notation keeps the image', () => {
    const classic: JsonObject = {
      container: {
        type: 'DOCKER',
        docker: { image: 'python:3', network: 'BRIDGE', portMappings: [{ containerPort: 80 }] },
      },
    };
    expect(withNetworkMode(classic, 'bridge')).toEqual({
      container: {
        type: 'DOCKER',
        docker: { image: 'python:3' },
        portMappings: [{ containerPort: 80, hostPort: 0 }],
      },
      networks: [{ mode: 'container/bridge' }],
    });
  });
});
