/** `?`: the shortcuts, and which cluster and versions this is. */
import type { ReactElement } from 'react';
import { useClusterFacts } from '../api/queries.ts';
import { Dialog } from '../components/dialog.tsx';
import { CopyButton } from '../components/feedback.tsx';
import { closeOverlay } from './overlays.ts';

const SHORTCUTS: readonly (readonly [string, string])[] = [
  ['mod k', 'Search and commands'],
  ['g d', 'Dashboard'],
  ['g s', 'Services'],
  ['g n', 'Nodes'],
  ['g p', 'Deployments'],
  ['g i', 'Incidents'],
  ['c', 'Run a new service'],
  ['/', 'Search on this page'],
  ['j k', 'Next and previous row'],
  ['Enter', 'Open the row'],
  ['[', 'Narrow or widen the sidebar'],
  ['t', 'Switch theme'],
  ['?', 'This help'],
];

export function HelpDialog(): ReactElement {
  const facts = useClusterFacts();
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Cluster', facts?.clusterId],
    ['DC/OS', facts?.productVersion],
    ['Mesos API', facts?.mesosVersion],
    ['Marathon API', facts?.marathonVersion],
  ];
  const isApple = navigator.platform.startsWith('Mac');
  return (
    <Dialog title="Help" onClose={closeOverlay} isWide>
      <div className="columns-2">
        <dl className="keys">
          {SHORTCUTS.map(([keys, label]) => (
            <div key={keys} style={{ display: 'contents' }}>
              <dt>
                {keys.split(' ').map((key) => (
                  <kbd key={key}>{key === 'mod' ? (isApple ? '⌘' : 'Ctrl') : key}</kbd>
                ))}
              </dt>
              <dd>{label}</dd>
            </div>
          ))}
        </dl>
        <dl
          className="facts"
          style={{ alignContent: 'start', gridTemplateColumns: 'minmax(0, 1fr)' }}
        >
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="mono">
                {value ?? '–'}
                {name === 'Cluster' && value !== undefined ? (
                  <CopyButton text={value} label="Copy cluster id" />
                ) : null}
              </dd>
            </div>
          ))}
        </dl>
      </div>
    </Dialog>
  );
}
