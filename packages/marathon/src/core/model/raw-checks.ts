/** Health checks, generic checks and readiness checks as a request may write them. */

import type { AppCheck, AppHealthCheck, CheckCommand, ReadinessCheck } from './app-definition.ts';
import { compact } from './compact.ts';
import {
  readBoolean,
  readEither,
  readEnum,
  readInteger,
  readList,
  readObject,
  readText,
  type Read,
} from './json-reader.ts';

const seconds = readInteger({ min: 0 });
const readPort = readInteger({ min: 0, max: 65_535 });
const readPortIndex = readInteger({ min: 0 });

export const readHealthCheck: Read<AppHealthCheck> = readObject((fields) =>
  compact({
    protocol: fields.withDefault(
      'protocol',
      readEnum(['HTTP', 'HTTPS', 'TCP', 'MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP', 'COMMAND']),
      'HTTP',
    ),
    path: fields.optional('path', readText()),
    portIndex: fields.optional('portIndex', readPortIndex),
    port: fields.optional('port', readPort),
    command: fields.optional(
      'command',
      readObject((command) => ({ value: command.required('value', readText({ lengthMin: 1 })) })),
    ),
    gracePeriodSeconds: fields.withDefault('gracePeriodSeconds', seconds, 300),
    intervalSeconds: fields.withDefault('intervalSeconds', seconds, 60),
    timeoutSeconds: fields.withDefault('timeoutSeconds', seconds, 20),
    maxConsecutiveFailures: fields.withDefault('maxConsecutiveFailures', seconds, 3),
    delaySeconds: fields.withDefault('delaySeconds', seconds, 15),
    ignoreHttp1xx: fields.withDefault('ignoreHttp1xx', readBoolean, false),
    ipProtocol: fields.withDefault('ipProtocol', readEnum(['IPv4', 'IPv6']), 'IPv4'),
  }),
);

const readCommand: Read<CheckCommand> = readEither(
  (value) => typeof value === 'object' && value !== null && 'shell' in value,
  readObject((fields): CheckCommand => ({
    shell: fields.required('shell', readText({ lengthMin: 1 })),
  })),
  readObject((fields): CheckCommand => ({ argv: fields.required('argv', readList(readText())) })),
);

const readTarget = {
  http: readObject((fields) =>
    compact({
      portIndex: fields.optional('portIndex', readPortIndex),
      port: fields.optional('port', readPort),
      path: fields.optional('path', readText()),
      scheme: fields.withDefault('scheme', readEnum(['HTTP', 'HTTPS']), 'HTTP'),
    }),
  ),
  tcp: readObject((fields) =>
    compact({
      portIndex: fields.optional('portIndex', readPortIndex),
      port: fields.optional('port', readPort),
    }),
  ),
  exec: readObject((fields) => ({ command: fields.required('command', readCommand) })),
};

export const readCheck: Read<AppCheck> = readObject((fields) =>
  compact({
    http: fields.optional('http', readTarget.http),
    tcp: fields.optional('tcp', readTarget.tcp),
    exec: fields.optional('exec', readTarget.exec),
    intervalSeconds: fields.withDefault('intervalSeconds', seconds, 60),
    timeoutSeconds: fields.withDefault('timeoutSeconds', seconds, 20),
    delaySeconds: fields.withDefault('delaySeconds', seconds, 15),
  }),
);

const readStatusCode = readInteger({ min: 100, max: 599 });

export const readReadinessCheck: Read<ReadinessCheck> = readObject((fields) => ({
  name: fields.withDefault('name', readText({ lengthMin: 1 }), 'readinessCheck'),
  protocol: fields.withDefault('protocol', readEnum(['HTTP', 'HTTPS']), 'HTTP'),
  path: fields.withDefault('path', readText({ lengthMin: 1 }), '/'),
  portName: fields.withDefault('portName', readText({ lengthMin: 1 }), 'http-api'),
  intervalSeconds: fields.withDefault('intervalSeconds', seconds, 30),
  timeoutSeconds: fields.withDefault('timeoutSeconds', readInteger({ min: 1 }), 10),
  httpStatusCodesForReady: fields.withDefault(
    'httpStatusCodesForReady',
    readList(readStatusCode),
    [200],
  ),
  preserveLastResponse: fields.withDefault('preserveLastResponse', readBoolean, false),
}));
