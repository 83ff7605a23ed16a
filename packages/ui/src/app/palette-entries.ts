/** What the command palette offers: pages, services with their actions, nodes, settings. */
import type { MesosAgent } from '../api/types.ts';
import type { IconName } from '../components/icon.tsx';
import { statusLabel } from '../model/service-status.ts';
import type { Service } from '../model/service-tree.ts';
import type { ServiceActionKind } from './overlays.ts';

export interface PaletteEntry {
  readonly id: string;
  readonly group: string;
  readonly icon: IconName;
  readonly text: string;
  readonly hint?: string;
  readonly target: PaletteTarget;
}

/** Pages that need no more than their name. */
export type PageAddress =
  | '/dashboard'
  | '/services'
  | '/nodes'
  | '/deployments'
  | '/incidents'
  | '/create';

export type PaletteTarget =
  | {
      readonly kind: 'page';
      readonly to: PageAddress;
    }
  | { readonly kind: 'service'; readonly appId: string; readonly tab?: string }
  | { readonly kind: 'action'; readonly appId: string; readonly action: ServiceActionKind }
  | { readonly kind: 'node'; readonly agentId: string }
  | { readonly kind: 'theme' }
  | { readonly kind: 'help' };

const PAGES: readonly PaletteEntry[] = [
  page('/dashboard', 'dashboard', 'Dashboard', 'g d'),
  page('/services', 'services', 'Services', 'g s'),
  page('/nodes', 'nodes', 'Nodes', 'g n'),
  page('/deployments', 'deployments', 'Deployments', 'g p'),
  page('/incidents', 'warning', 'Incidents', 'g i'),
  page('/create', 'plus', 'Run a new service', 'c'),
  {
    id: 'theme',
    group: 'Console',
    icon: 'moon',
    text: 'Switch theme',
    hint: 't',
    target: { kind: 'theme' },
  },
  {
    id: 'help',
    group: 'Console',
    icon: 'help',
    text: 'Keyboard help',
    hint: '?',
    target: { kind: 'help' },
  },
];

function page(to: PageAddress, icon: IconName, text: string, hint: string): PaletteEntry {
  return { id: to, group: 'Go to', icon, text, hint, target: { kind: 'page', to } };
}

/** All entries; without a search text only what is short enough to read is worth showing. */
export function paletteEntries(
  services: readonly Service[],
  agents: readonly MesosAgent[],
): readonly PaletteEntry[] {
  return [
    ...PAGES,
    ...services.map(({ app, status }): PaletteEntry => ({
      id: `service ${app.id}`,
      group: 'Services',
      icon: 'service',
      text: app.id,
      hint: statusLabel(status),
      target: { kind: 'service', appId: app.id },
    })),
    ...services.flatMap(actionEntries),
    ...agents.map((agent): PaletteEntry => ({
      id: `node ${agent.id}`,
      group: 'Nodes',
      icon: 'nodes',
      text: agent.hostname,
      hint: agent.id.slice(-3),
      target: { kind: 'node', agentId: agent.id },
    })),
  ];
}

function actionEntries({ app }: Service): readonly PaletteEntry[] {
  const entry = (action: ServiceActionKind, icon: IconName, word: string): PaletteEntry => ({
    id: `${action} ${app.id}`,
    group: 'Actions',
    icon,
    text: `${word} ${app.id}`,
    target: { kind: 'action', appId: app.id, action },
  });
  return [
    {
      id: `logs ${app.id}`,
      group: 'Actions',
      icon: 'log',
      text: `Logs of ${app.id}`,
      target: { kind: 'service', appId: app.id, tab: 'logs' },
    },
    entry('scale', 'scale', 'Scale'),
    entry('restart', 'restart', 'Restart'),
    app.instances === 0 ? entry('resume', 'play', 'Resume') : entry('suspend', 'pause', 'Suspend'),
    entry('delete', 'trash', 'Delete'),
  ];
}
