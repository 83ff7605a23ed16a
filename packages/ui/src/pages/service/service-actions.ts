/** The actions of a service, the same in the list, on its page and in the command palette. */
import { useNavigate } from '@tanstack/react-router';
import { openOverlay } from '../../app/overlays.ts';
import type { ServiceActionKind } from '../../app/overlays.ts';
import { showToast } from '../../app/toasts.tsx';
import { messageOf } from '../../api/http.ts';
import { resetDelay } from '../../api/marathon.ts';
import type { MenuAction } from '../../components/menu.tsx';
import type { Service } from '../../model/service-tree.ts';

export function useServiceActions(service: Service): readonly MenuAction[] {
  const navigate = useNavigate();
  const { app, status } = service;
  const open = (action: ServiceActionKind): void =>
    openOverlay({ kind: 'service', action, appId: app.id });
  const isSuspended = app.instances === 0;
  return [
    {
      id: 'edit',
      label: 'Edit',
      icon: 'edit',
      run: () => void navigate({ to: '/services/edit/$appId', params: { appId: app.id } }),
    },
    { id: 'scale', label: 'Scale', icon: 'scale', run: () => open('scale') },
    {
      id: 'restart',
      label: 'Restart',
      icon: 'restart',
      isDisabled: isSuspended,
      run: () => open('restart'),
    },
    isSuspended
      ? { id: 'resume', label: 'Resume', icon: 'play', run: () => open('resume') }
      : { id: 'suspend', label: 'Suspend', icon: 'pause', run: () => open('suspend') },
    ...(status === 'delayed'
      ? [
          {
            id: 'reset',
            label: 'Reset delay',
            icon: 'clock',
            run: () => void retryNow(app.id),
          } as const,
        ]
      : []),
    {
      id: 'logs',
      label: 'Logs',
      icon: 'log',
      startsGroup: true,
      run: () =>
        void navigate({
          to: '/services/detail/$appId',
          params: { appId: app.id },
          search: { tab: 'logs' },
        }),
    },
    {
      id: 'delete',
      label: 'Delete',
      icon: 'trash',
      isDanger: true,
      startsGroup: true,
      run: () => open('delete'),
    },
  ];
}

/** Ends the backoff of a delayed service and says how it went. */
export async function retryNow(appId: string): Promise<void> {
  try {
    await resetDelay(appId);
    showToast('good', `${appId} is tried again now.`);
  } catch (error) {
    showToast('bad', messageOf(error));
  }
}
