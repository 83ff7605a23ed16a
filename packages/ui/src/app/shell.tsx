/** The frame around all pages: sidebar, overlays, shortcuts, offline banner. */
import { Outlet, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect } from 'react';
import type { ReactElement } from 'react';
import { useFaults } from '../api/queries.ts';
import { Button } from '../components/button.tsx';
import { Icon } from '../components/icon.tsx';
import { useNow } from '../components/feedback.tsx';
import { useMediaQuery } from '../components/media-query.ts';
import { connection } from '../live/connection.ts';
import { createStore, useStore } from '../live/store.ts';
import { formatDuration } from '../model/format.ts';
import { openOverlay, overlay } from './overlays.ts';
import type { PageAddress } from './palette-entries.ts';
import { listenForShortcuts } from './shortcuts.ts';
import { Sidebar } from './sidebar.tsx';
import { nextTheme } from './theme.ts';
import { Toasts } from './toasts.tsx';

const loadPalette = () => import('./command-palette.tsx');
const CommandPalette = lazy(async () => ({ default: (await loadPalette()).CommandPalette }));
const HelpDialog = lazy(async () => ({ default: (await import('./help-dialog.tsx')).HelpDialog }));
const ActionDialogs = lazy(async () => ({
  default: (await import('./action-dialogs.tsx')).ActionDialogs,
}));

/** The first view has the connection to itself until then. */
const PRELOAD_AFTER_MS = 500;
const NARROW_KEY = 'dcos.sidebar';
const NARROW_QUERY = '(max-width: 1000px)';

const sidebarChoice = createStore<'wide' | 'narrow' | undefined>(readSidebar());

function readSidebar(): 'wide' | 'narrow' | undefined {
  try {
    const stored = localStorage.getItem(NARROW_KEY);
    return stored === 'wide' || stored === 'narrow' ? stored : undefined;
  } catch {
    return undefined;
  }
}

export function Shell(): ReactElement {
  const navigate = useNavigate();
  const isSmall = useMediaQuery(NARROW_QUERY);
  const sidebar = useStore(sidebarChoice) ?? (isSmall ? 'narrow' : 'wide');

  useEffect(() => {
    // Who presses its keys types on at once: the palette must be there to take the letters.
    const timer = setTimeout(() => void loadPalette().catch(() => undefined), PRELOAD_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);

  useEffect(() => {
    const go = (to: PageAddress): void => {
      void navigate({ to });
    };
    return listenForShortcuts([
      { keys: 'mod+k', label: 'Search', run: () => openOverlay({ kind: 'palette' }) },
      { keys: '?', label: 'Help', run: () => openOverlay({ kind: 'help' }) },
      { keys: 'g d', label: 'Dashboard', run: () => go('/dashboard') },
      { keys: 'g s', label: 'Services', run: () => go('/services') },
      { keys: 'g n', label: 'Nodes', run: () => go('/nodes') },
      { keys: 'g p', label: 'Deployments', run: () => go('/deployments') },
      { keys: 'g i', label: 'Incidents', run: () => go('/incidents') },
      { keys: 'c', label: 'Run a service', run: () => go('/create') },
      { keys: 't', label: 'Theme', run: nextTheme },
      { keys: '/', label: 'Search on the page', run: focusSearch },
      {
        keys: '[',
        label: 'Sidebar',
        run: () => chooseSidebar(sidebar === 'wide' ? 'narrow' : 'wide'),
      },
    ]);
  }, [navigate, sidebar]);

  return (
    <div className="shell" data-sidebar={sidebar}>
      <Sidebar />
      <Outlet />
      <Overlays />
      <OfflineBanner />
      <Toasts />
    </div>
  );
}

function chooseSidebar(choice: 'wide' | 'narrow'): void {
  sidebarChoice.set(choice);
  try {
    localStorage.setItem(NARROW_KEY, choice);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

function focusSearch(): void {
  const search = document.querySelector<HTMLInputElement>('[data-page-search]');
  search?.focus();
  search?.select();
}

function Overlays(): ReactElement | null {
  const open = useStore(overlay);
  if (open === undefined) return null;
  return (
    <Suspense fallback={null}>
      {open.kind === 'palette' ? <CommandPalette /> : null}
      {open.kind === 'help' ? <HelpDialog /> : null}
      {open.kind === 'palette' || open.kind === 'help' ? null : <ActionDialogs overlay={open} />}
    </Suspense>
  );
}

/** Lies over the page, so that its coming and going moves nothing. */
function OfflineBanner(): ReactElement | null {
  const { lostSinceMs } = useStore(connection);
  if (lostSinceMs === undefined) return null;
  return <OfflineNote sinceMs={lostSinceMs} />;
}

function OfflineNote({ sinceMs }: { readonly sinceMs: number }): ReactElement | null {
  const now = useNow(1_000);
  const faults = useFaults();
  const seconds = (now - sinceMs) / 1000;
  if (seconds < 1) return null;
  return (
    <div className="offline" role="alert">
      <Icon name="warning" />
      <span>
        The cluster has not answered for {formatDuration(seconds)}. What you see may be out of date.
        {faults.map((fault) => (
          <span className="offline-fault" key={fault}>
            {fault}
          </span>
        ))}
      </span>
      <Button size="small" onPress={() => location.reload()}>
        Reload
      </Button>
    </div>
  );
}
