/**
 * The dialogs behind actions on services, tasks and deployments. A target that is held by a running
 * deployment (409) offers to override it; the dangerous button never has the focus first.
 */
import { useNavigate, useRouterState } from '@tanstack/react-router';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { ApiError, messageOf } from '../api/http.ts';
import { cancelDeployment, deleteApp, killTasks, restartApp, updateApp } from '../api/marathon.ts';
import { queryKeys, useServices } from '../api/queries.ts';
import type { App } from '../api/types.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { CheckField, NumberField, TextField } from '../components/field.tsx';
import { Notice } from '../components/feedback.tsx';
import { rollbackEffect } from '../model/deployment-view.ts';
import { countOf, shortName } from '../model/format.ts';
import { closeOverlay } from './overlays.ts';
import type { Overlay, ServiceActionKind } from './overlays.ts';
import { showToast } from './toasts.tsx';

type ActionOverlay = Exclude<Overlay, { kind: 'palette' | 'help' }>;

export function ActionDialogs({
  overlay,
}: {
  readonly overlay: ActionOverlay;
}): ReactElement | null {
  const { byId, deployments } = useServices();
  if (overlay.kind === 'kill') return <KillDialog overlay={overlay} />;
  if (overlay.kind === 'rollback') {
    const deployment = deployments.find((candidate) => candidate.id === overlay.deploymentId);
    if (deployment === undefined) return null;
    const { deletes } = rollbackEffect(deployment);
    return <RollbackDialog id={deployment.id} force={overlay.force} deletes={deletes} />;
  }
  const service = byId.get(overlay.appId);
  if (service === undefined) return null;
  const ServiceDialog = SERVICE_DIALOGS[overlay.action];
  return <ServiceDialog app={service.app} />;
}

type ServiceDialogComponent = (props: { readonly app: App }) => ReactElement;

const SERVICE_DIALOGS: Readonly<Record<ServiceActionKind, ServiceDialogComponent>> = {
  scale: ({ app }) => <ScaleDialog app={app} title="Scale" />,
  resume: ({ app }) => <ScaleDialog app={app} title="Resume" />,
  restart: RestartDialog,
  suspend: SuspendDialog,
  delete: DeleteDialog,
};

interface ConfirmProps {
  readonly title: string;
  readonly confirm: string;
  readonly isDanger?: boolean;
  readonly canConfirm?: boolean;
  readonly done: string;
  readonly run: (force: boolean) => Promise<unknown>;
  readonly onDone?: () => void;
  readonly children: ReactNode;
}

/** A question with a confirming button; keeps itself open and explains when the server refuses. */
function Confirm(props: ConfirmProps): ReactElement {
  const {
    title,
    confirm,
    isDanger = false,
    canConfirm = true,
    done,
    run,
    onDone,
    children,
  } = props;
  const [force, setForce] = useState(false);
  const client = useQueryClient();
  const mutation = useMutation({
    mutationFn: () => run(force),
    onSuccess: () => {
      showToast('good', done);
      closeOverlay();
      onDone?.();
      for (const key of [queryKeys.apps, queryKeys.deployments, queryKeys.queue]) {
        void client.invalidateQueries({ queryKey: key });
      }
    },
  });
  const { error } = mutation;
  const isLocked = error instanceof ApiError && error.status === 409;
  return (
    <Dialog
      title={title}
      onClose={closeOverlay}
      onSubmit={() => {
        if (canConfirm && !mutation.isPending) mutation.mutate();
      }}
      footer={
        <>
          <Button variant="ghost" onPress={closeOverlay}>
            Cancel
          </Button>
          <Button
            type="submit"
            variant={isDanger ? 'danger' : 'primary'}
            isDisabled={!canConfirm || mutation.isPending}
          >
            {confirm}
          </Button>
        </>
      }
    >
      {children}
      {error === null ? null : (
        <Notice tone="bad" title={isLocked ? 'Held by a running deployment' : 'Refused'}>
          <p>
            {isLocked
              ? 'Another deployment is changing this service. It can be overridden: that deployment is then cancelled where it stands.'
              : messageOf(error)}
          </p>
        </Notice>
      )}
      {isLocked ? (
        <CheckField label="Override the running deployment" isChecked={force} onChange={setForce} />
      ) : null}
    </Dialog>
  );
}

function ScaleDialog({ app, title }: { readonly app: App; readonly title: string }): ReactElement {
  const isResume = title === 'Resume';
  const [instances, setInstances] = useState<number | undefined>(
    isResume ? Math.max(1, app.instances) : app.instances,
  );
  const isValid = instances !== undefined && Number.isInteger(instances) && instances >= 0;
  return (
    <Confirm
      title={`${title} ${shortName(app.id)}`}
      confirm={title}
      canConfirm={isValid}
      done={`${app.id} scales to ${countOf(instances ?? 0, 'instance')}.`}
      run={(force) => updateApp(app.id, { instances: instances ?? 0 }, forced(force))}
    >
      <NumberField
        label="Instances"
        value={instances}
        min={0}
        step={1}
        autoFocus
        onChange={setInstances}
        error={isValid ? undefined : 'A whole number from 0.'}
        hint={`${app.tasksRunning ?? 0} running now, ${app.cpus} CPU and ${app.mem} MiB each`}
      />
    </Confirm>
  );
}

function RestartDialog({ app }: { readonly app: App }): ReactElement {
  return (
    <Confirm
      title={`Restart ${shortName(app.id)}?`}
      confirm="Restart"
      done={`${app.id} restarts.`}
      run={(force) => restartApp(app.id, forced(force))}
    >
      <p>
        {countOf(app.instances, 'instance')} will be replaced, as many at a time as the upgrade
        strategy allows. The configuration stays the same.
      </p>
    </Confirm>
  );
}

function SuspendDialog({ app }: { readonly app: App }): ReactElement {
  return (
    <Confirm
      title={`Suspend ${shortName(app.id)}?`}
      confirm="Suspend"
      isDanger
      done={`${app.id} is being suspended.`}
      run={(force) => updateApp(app.id, { instances: 0 }, forced(force))}
    >
      <p>
        All of its {countOf(app.instances, 'instance')} will be stopped. The definition stays, and
        Resume starts it again.
      </p>
    </Confirm>
  );
}

function DeleteDialog({ app }: { readonly app: App }): ReactElement {
  const [typed, setTyped] = useState('');
  const name = shortName(app.id);
  const navigate = useNavigate();
  const isOnDetail = useRouterState({
    select: (state) => state.location.pathname.startsWith('/services/detail/'),
  });
  return (
    <Confirm
      title={`Delete ${name}?`}
      confirm="Delete"
      isDanger
      canConfirm={typed === name}
      done={`${app.id} is being deleted.`}
      run={() => deleteApp(app.id)}
      onDone={() => {
        if (isOnDetail) void navigate({ to: '/services' });
      }}
    >
      <p>
        Its {countOf(app.instances, 'instance')} will be stopped, and the definition with all of its
        versions is removed. This cannot be undone.
      </p>
      <TextField
        label={`Type ${name} to confirm`}
        value={typed}
        onChange={setTyped}
        autoFocus
        isMono
        placeholder={name}
      />
    </Confirm>
  );
}

type KillOverlay = Extract<Overlay, { kind: 'kill' }>;

function KillDialog({ overlay }: { readonly overlay: KillOverlay }): ReactElement {
  const { taskIds, scale, appId } = overlay;
  const what = countOf(taskIds.length, 'instance');
  return (
    <Confirm
      title={scale ? `Stop ${what} and scale down?` : `Restart ${what}?`}
      confirm={scale ? 'Stop and scale down' : 'Kill and restart'}
      isDanger
      done={scale ? `${what} of ${appId} stopped.` : `${what} of ${appId} killed.`}
      run={(force) => killTasks(taskIds, { scale, ...forced(force) })}
    >
      <p>
        {scale
          ? `The processes are killed, and the service keeps ${what} less.`
          : 'The processes are killed; the scheduler starts replacements at once.'}
      </p>
    </Confirm>
  );
}

interface RollbackDialogProps {
  readonly id: string;
  readonly force: boolean;
  readonly deletes: readonly string[];
}

function RollbackDialog({ id, force, deletes }: RollbackDialogProps): ReactElement {
  const removed = deletes.join(', ');
  return (
    <Confirm
      title={force ? 'Stop this deployment?' : 'Roll this deployment back?'}
      confirm={force ? 'Stop' : deletes.length > 0 ? 'Roll back and delete' : 'Roll back'}
      isDanger
      done={force ? 'The deployment was stopped.' : 'The deployment is being rolled back.'}
      run={() => cancelDeployment(id, forced(force))}
    >
      <p>
        {force
          ? 'It ends where it stands: what was changed so far stays changed, the rest is not done.'
          : 'A new deployment brings the affected services back to what they were before.'}
      </p>
      {!force && deletes.length > 0 ? (
        <Notice tone="warn" title={`This deletes ${removed}`}>
          <p>The deployment creates it, so rolling back removes it with its instances.</p>
        </Notice>
      ) : null}
    </Confirm>
  );
}

function forced(force: boolean): { force?: boolean } {
  return force ? { force } : {};
}
