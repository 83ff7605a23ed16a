/** The running deployments: what they change, how far they are, how to undo or stop them. */
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { openOverlay } from '../../app/overlays.ts';
import { PageFrame } from '../../app/page-frame.tsx';
import { useDeployments, useServices } from '../../api/queries.ts';
import type { Deployment, QueueEntry } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { Age, EmptyState, ErrorState, LoadingRows } from '../../components/feedback.tsx';
import { Icon } from '../../components/icon.tsx';
import { Meter } from '../../components/meter.tsx';
import { InstanceCells, StatusBadge } from '../../components/status.tsx';
import {
  actionLabel,
  actionTarget,
  progressPercent,
  stepState,
} from '../../model/deployment-view.ts';
import { explainPlacement } from '../../model/explanation.ts';
import { healthCounts } from '../../model/service-status.ts';
import type { Service } from '../../model/service-tree.ts';

export function DeploymentsPage(): ReactElement {
  const { data, isPending, error, refetch } = useDeployments();
  return (
    <PageFrame title="Deployments">
      {isPending ? <LoadingRows rows={3} label="Deployments" /> : null}
      {data === undefined && error !== null ? (
        <ErrorState what="Deployments" error={error} onRetry={() => void refetch()} />
      ) : null}
      {data !== undefined && data.length === 0 ? (
        <div className="panel">
          <EmptyState title="Nothing is being deployed">
            Every change of a service shows here while it is carried out, step by step, and can be
            rolled back.
          </EmptyState>
        </div>
      ) : null}
      <div className="grid">
        {(data ?? []).map((deployment) => (
          <DeploymentCard key={deployment.id} deployment={deployment} />
        ))}
      </div>
    </PageFrame>
  );
}

function DeploymentCard({ deployment }: { readonly deployment: Deployment }): ReactElement {
  const { byId, queueById } = useServices();
  const open = (force: boolean): void =>
    openOverlay({ kind: 'rollback', deploymentId: deployment.id, force });
  const percent = progressPercent(deployment);
  return (
    <section className="panel" aria-label={`Deployment ${deployment.id}`}>
      <div className="panel-head" style={{ paddingTop: 14 }}>
        <div style={{ minWidth: 0 }}>
          <h2 className="truncate">{deployment.affectedApps.join(', ')}</h2>
          <p className="td-sub">
            <span className="mono">{deployment.id.slice(0, 8)}</span>, started{' '}
            <Age timeMs={Date.parse(deployment.version)} />
          </p>
        </div>
        <div className="page-actions">
          <Button icon="undo" onPress={() => open(false)}>
            Roll back
          </Button>
          <Button icon="stop" onPress={() => open(true)}>
            Stop
          </Button>
        </div>
      </div>
      <div className="panel-body">
        <Meter
          label="Progress"
          percent={percent}
          text={`step ${Math.max(1, deployment.currentStep)} of ${deployment.totalSteps}`}
        />
        <ol className="steps" style={{ marginTop: 14 }}>
          {deployment.steps.map((step, index) => {
            const state = stepState(deployment, index);
            return step.actions.map((action) => {
              const target = actionTarget(action);
              const service = byId.get(target);
              return (
                <li
                  className="step"
                  key={`${index}-${action.action}-${target}`}
                  data-tone={state === 'done' ? 'good' : state === 'current' ? 'busy' : 'idle'}
                >
                  <span style={{ color: 'var(--tone)', display: 'flex' }}>
                    <Icon
                      name={state === 'done' ? 'check' : state === 'current' ? 'play' : 'clock'}
                      size={16}
                    />
                  </span>
                  <span className={state === 'ahead' ? 'muted' : undefined}>
                    {actionLabel(action.action)}{' '}
                    <Link to="/services/detail/$appId" params={{ appId: target }}>
                      {target}
                    </Link>
                  </span>
                  {state === 'current' && service !== undefined ? (
                    <>
                      <StatusBadge status={service.status} />
                      <InstanceCells counts={healthCounts(service.app)} cellsMax={30} />
                      <WaitReason service={service} entry={queueById.get(target)} />
                    </>
                  ) : null}
                  <span className="visually-hidden">{state}</span>
                </li>
              );
            });
          })}
        </ol>
      </div>
    </section>
  );
}

interface WaitReasonProps {
  readonly service: Service;
  readonly entry: QueueEntry | undefined;
}

/** What holds the step up: a deployment has no time-out of its own. */
function WaitReason({ service, entry }: WaitReasonProps): ReactElement | null {
  if (entry === undefined || service.status !== 'waiting') return null;
  const [reason] = explainPlacement(entry, service.app).reasons;
  return reason === undefined ? null : <span className="why-line">{reason.text}</span>;
}
