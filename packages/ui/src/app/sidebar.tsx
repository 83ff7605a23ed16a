/** The sidebar: where one is, how much is going on, whether what one sees is live. */
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useDeployments, useServices, useStateSummary } from '../api/queries.ts';
import { Icon } from '../components/icon.tsx';
import type { IconName } from '../components/icon.tsx';
import { connection } from '../live/connection.ts';
import type { StreamState } from '../live/connection.ts';
import { useStore } from '../live/store.ts';
import { openOverlay } from './overlays.ts';
import { nextTheme, themeChoice } from './theme.ts';
import type { ThemeChoice } from './theme.ts';

const THEME_LABELS: Readonly<Record<ThemeChoice, { label: string; icon: IconName }>> = {
  system: { label: 'Theme: system', icon: 'system' },
  light: { label: 'Theme: light', icon: 'sun' },
  dark: { label: 'Theme: dark', icon: 'moon' },
};

export function Sidebar(): ReactElement {
  const { data: summary } = useStateSummary();
  const { data: deployments } = useDeployments();
  const { services } = useServices();
  const stuck = services.filter(
    ({ status }) => status === 'waiting' || status === 'delayed',
  ).length;
  const choice = THEME_LABELS[useStore(themeChoice)];
  return (
    <nav className="sidebar" aria-label="Main">
      <Link to="/dashboard" className="brand">
        <Mark />
        <span className="brand-text">
          <span className="brand-name">DC/OS</span>
          <span className="brand-cluster truncate">{summary?.cluster ?? 'in a box'}</span>
        </span>
      </Link>
      <div className="nav">
        <NavLink to="/dashboard" icon="dashboard" label="Dashboard" />
        <NavLink
          to="/services"
          icon="services"
          label="Services"
          count={stuck}
          countTone="warn"
          countLabel="waiting or delayed"
        />
        <NavLink
          to="/deployments"
          icon="deployments"
          label="Deployments"
          count={deployments?.length ?? 0}
          countLabel="running"
        />
        <NavLink to="/nodes" icon="nodes" label="Nodes" />
        <NavLink to="/incidents" icon="warning" label="Incidents" />
      </div>
      <div className="sidebar-foot">
        <button type="button" className="nav-link" onClick={() => openOverlay({ kind: 'palette' })}>
          <Icon name="search" />
          <span className="nav-label">Search</span>
          <span className="nav-key">{navigator.platform.startsWith('Mac') ? '⌘K' : 'Ctrl K'}</span>
        </button>
        <button type="button" className="nav-link" onClick={nextTheme} title={choice.label}>
          <Icon name={choice.icon} />
          <span className="nav-label">{choice.label}</span>
        </button>
        <button type="button" className="nav-link" onClick={() => openOverlay({ kind: 'help' })}>
          <Icon name="help" />
          <span className="nav-label">Help</span>
          <span className="nav-key">?</span>
        </button>
        <LiveIndicator />
      </div>
    </nav>
  );
}

interface NavLinkProps {
  readonly to: '/dashboard' | '/services' | '/nodes' | '/deployments' | '/incidents';
  readonly icon: IconName;
  readonly label: string;
  readonly count?: number;
  readonly countTone?: 'warn';
  readonly countLabel?: string;
}

function NavLink({
  to,
  icon,
  label,
  count = 0,
  countTone,
  countLabel,
}: NavLinkProps): ReactElement {
  return (
    <Link to={to} className="nav-link" activeProps={{ 'aria-current': 'page' }} title={label}>
      <Icon name={icon} />
      <span className="nav-label">{label}</span>
      {count === 0 ? null : (
        <span
          className="nav-count"
          data-tone={countTone}
          aria-label={`${count} ${countLabel ?? ''}`}
        >
          {count}
        </span>
      )}
    </Link>
  );
}

const LIVE_LABELS: Readonly<Record<StreamState, string>> = {
  open: 'Live',
  connecting: 'Connecting',
  lost: 'Reconnecting',
  paused: 'Paused',
};

function LiveIndicator(): ReactElement {
  const { marathon, mesos } = useStore(connection);
  const order: readonly StreamState[] = ['lost', 'connecting', 'paused', 'open'];
  const state = order.find((candidate) => marathon === candidate || mesos === candidate) ?? 'open';
  return (
    <div
      className="live"
      data-state={state}
      title={`Marathon events: ${LIVE_LABELS[marathon]}. Mesos events: ${LIVE_LABELS[mesos]}.`}
    >
      <span className="live-dot" />
      <span className="live-label" role="status">
        {LIVE_LABELS[state]}
      </span>
    </div>
  );
}

function Mark(): ReactElement {
  return (
    <svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true">
      <rect x="1" y="1" width="11" height="11" rx="2.4" fill="#ab97ff" />
      <rect x="14" y="1" width="11" height="11" rx="2.4" fill="#ab97ff" opacity=".5" />
      <rect x="1" y="14" width="11" height="11" rx="2.4" fill="#ab97ff" opacity=".5" />
      <rect x="14" y="14" width="11" height="11" rx="2.4" fill="#43d391" />
    </svg>
  );
}
