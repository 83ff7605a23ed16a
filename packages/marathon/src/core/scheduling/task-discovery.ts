/** How a task is found: the name and ports that DNS and balancers read. */

import type { DiscoveryInfo, Label, Labels, Port } from '@dcos/wire';
import { hostnameOf, type AppDefinition } from '../model/index.ts';
import { networkModeOf, portsOf, protocolsOf, type AppPort } from './app-facts.ts';
import type { Instance } from './instance.ts';

/** The discovery information of an instance's task. */
export function discoveryInfo(app: AppDefinition, instance: Instance): DiscoveryInfo {
  return {
    visibility: 'FRAMEWORK',
    name: hostnameOf(app.id),
    ports: {
      ports: portsOf(app).flatMap((port, index) => discoveryPorts(app, instance, { port, index })),
    },
  };
}

/** One entry per protocol, and for container ports per network that they are reachable on. */
function discoveryPorts(
  app: AppDefinition,
  instance: Instance,
  { port, index }: { readonly port: AppPort; readonly index: number },
): Port[] {
  const hostPort = instance.task?.hostPorts[index] ?? undefined;
  const name = port.name === undefined ? {} : { name: port.name };
  return protocolsOf(port).flatMap((protocol): Port[] => {
    if (networkModeOf(app) === 'host') {
      const labels = scopeLabels(port, []);
      return [{ number: hostPort ?? 0, ...name, protocol, ...labels }];
    }
    if (hostPort !== undefined) {
      return [
        {
          number: hostPort,
          ...name,
          protocol,
          ...scopeLabels(port, [{ key: 'network-scope', value: 'host' }]),
        },
      ];
    }
    const names = app.networks
      .flatMap((network) => network.name ?? [])
      .filter((network) => port.networkNames.length === 0 || port.networkNames.includes(network));
    return names.map((network) => ({
      number: port.containerPort ?? 0,
      ...name,
      protocol,
      ...scopeLabels(port, [
        { key: 'network-scope', value: 'container' },
        { key: 'network-name', value: network },
      ]),
    }));
  });
}

function scopeLabels(port: AppPort, scope: readonly Label[]): { readonly labels?: Labels } {
  const labels = [...Object.entries(port.labels).map(([key, value]) => ({ key, value })), ...scope];
  return labels.length === 0 ? {} : { labels: { labels } };
}
