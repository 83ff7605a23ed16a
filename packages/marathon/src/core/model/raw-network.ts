/** Networks and ports as a request may write them, the legacy `ipAddress` included. */

import type {
  Network,
  PortDefinition,
  PortMapping,
  PortProtocol,
  StringMap,
} from './app-definition.ts';
import { compact } from './compact.ts';
import {
  readEnum,
  readInteger,
  readList,
  readMap,
  readObject,
  readText,
  type Read,
} from './json-reader.ts';

export interface RawDiscoveryPort {
  readonly number: number;
  readonly name: string;
  readonly protocol: 'tcp' | 'udp';
  readonly labels: StringMap;
}

export interface RawIpAddress {
  readonly networkName?: string;
  readonly labels: StringMap;
  readonly discoveryPorts?: readonly RawDiscoveryPort[];
}

const NETWORK_NAME = /^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$/;
const NETWORK_NAME_LENGTH_MAX = 63;
const PORT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

const readPort = readInteger({ min: 0, max: 65_535 });
const readPortName = readText({ pattern: PORT_NAME });
const readNetworkName = readText({
  lengthMin: 1,
  lengthMax: NETWORK_NAME_LENGTH_MAX,
  pattern: NETWORK_NAME,
});
const PROTOCOLS = ['tcp', 'udp', 'udp,tcp'] as const satisfies readonly PortProtocol[];

/** `tcp,udp` is read too, as clients write it; it has one written form. */
const readProtocol: Read<PortProtocol> = (value, path, violations) =>
  readEnum(PROTOCOLS)(value === 'tcp,udp' ? 'udp,tcp' : value, path, violations);

export const readNetwork: Read<Network> = readObject((fields) =>
  compact({
    mode: fields.withDefault(
      'mode',
      readEnum(['container', 'container/bridge', 'host']),
      'container',
    ),
    name: fields.optional('name', readNetworkName),
    labels: fields.withDefault('labels', readMap(readText()), {}),
  }),
);

export const readPortMapping: Read<PortMapping> = readObject((fields) =>
  compact({
    containerPort: fields.withDefault('containerPort', readPort, 0),
    hostPort: fields.optional('hostPort', readPort),
    servicePort: fields.withDefault('servicePort', readPort, 0),
    protocol: fields.withDefault('protocol', readProtocol, 'tcp'),
    name: fields.optional('name', readPortName),
    labels: fields.withDefault('labels', readMap(readText()), {}),
    networkNames: fields.withDefault('networkNames', readList(readNetworkName), []),
  }),
);

export const readPortDefinition: Read<PortDefinition> = readObject((fields) =>
  compact({
    port: fields.withDefault('port', readPort, 0),
    protocol: fields.withDefault('protocol', readProtocol, 'tcp'),
    name: fields.optional('name', readPortName),
    labels: fields.withDefault('labels', readMap(readText()), {}),
  }),
);

const readDiscoveryPort: Read<RawDiscoveryPort> = readObject((fields) => ({
  number: fields.required('number', readPort),
  name: fields.required('name', readPortName),
  protocol: fields.withDefault('protocol', readEnum(['tcp', 'udp']), 'tcp'),
  labels: fields.withDefault('labels', readMap(readText()), {}),
}));

const readDiscovery: Read<readonly RawDiscoveryPort[] | undefined> = readObject((fields) =>
  fields.optional('ports', readList(readDiscoveryPort)),
);

export const readIpAddress: Read<RawIpAddress> = readObject((fields) =>
  compact({
    networkName: fields.optional('networkName', readNetworkName),
    labels: fields.withDefault('labels', readMap(readText()), {}),
    discoveryPorts: fields.optional('discovery', readDiscovery),
  }),
);
