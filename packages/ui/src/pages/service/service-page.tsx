/** One service: what it is doing now, and tabs for instances, logs, configuration and debug. */
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { PageFrame } from '../../app/page-frame.tsx';
import { openOverlay } from '../../app/overlays.ts';
import { useServices } from '../../api/queries.ts';
import type { ServicesView } from '../../api/queries.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState, ErrorState, LoadingRows } from '../../components/feedback.tsx';
import { ActionMenu } from '../../components/menu.tsx';
import { InstanceCells, StatusBadge } from '../../components/status.tsx';
import { formatMebibytes, formatNumber } from '../../model/format.ts';
import { deploymentProgress, healthCounts } from '../../model/service-status.ts';
import { groupTrail, parentGroup } from '../../model/service-tree.ts';
import type { Service } from '../../model/service-tree.ts';
import { InstancesTab } from './instances-tab.tsx';
import { useServiceActions } from './service-actions.ts';
import { ServiceBanner } from './service-banner.tsx';

const LogsTab = lazy(async () => ({ default: (await import('./logs-tab.tsx')).LogsTab }));
const ConfigurationTab = lazy(async () => ({
  default: (await import('./configuration-tab.tsx')).ConfigurationTab,
}));
const DebugTab = lazy(async () => ({ default: (await import('./debug-tab.tsx')).DebugTab }));

const TABS = ['instances', 'logs', 'configuration', 'debug'] as const;
type Tab = (typeof TABS)[number];
const TAB_LABELS: Readonly<Record<Tab, string>> = {
  instances: 'Instances',
  logs: 'Logs',
  configuration: 'Configuration',
  debug: 'Debug',
};

export function ServicePage(): ReactElement {
  const { appId } = useParams({ from: '/services/detail/$appId' });
  const view = useServices();
  const service = view.byId.get(appId);
  if (service !== undefined && !view.isPending)
    return <KnownService service={service} view={view} />;
  return (
    <PageFrame title={appId} heading={<ServiceCrumbs appId={appId} />}>
      {view.isPending ? <LoadingRows rows={4} label={appId} /> : null}
      {view.error === null ? null : <ErrorState what={appId} error={view.error} />}
      {view.isPending || view.error !== null ? null : (
        <EmptyState
          title={`${appId} does not exist`}
          actions={
            <Link to="/services" className="button">
              All services
            </Link>
          }
        >
          It may have been deleted. Its sandboxes stay on the nodes for a while.
        </EmptyState>
      )}
    </PageFrame>
  );
}

interface KnownServiceProps {
  readonly service: Service;
  readonly view: ServicesView;
}

function KnownService({ service, view }: KnownServiceProps): ReactElement {
  const { app, status } = service;
  const search = useSearch({ from: '/services/detail/$appId' });
  const navigate = useNavigate({ from: '/services/detail/$appId' });
  const tab = TABS.find((candidate) => candidate === search.tab) ?? 'instances';
  const actions = useServiceActions(service);
  const progress = deploymentProgress(app.id, view.deployments);
  const queueEntry = view.queueById.get(app.id);
  const scale = (): void => openOverlay({ kind: 'service', action: 'scale', appId: app.id });
  return (
    <PageFrame
      title={app.id}
      heading={
        <>
          <ServiceCrumbs appId={app.id} />
          <StatusBadge
            status={status}
            isPill
            detail={
              status === 'deploying' && progress !== undefined && progress.total > 1
                ? `${progress.step} of ${progress.total}`
                : undefined
            }
          />
        </>
      }
      actions={
        <>
          <Button icon="scale" onPress={scale}>
            Scale
          </Button>
          <Link to="/services/edit/$appId" params={{ appId: app.id }} className="button">
            Edit
          </Link>
          <ActionMenu
            label="More actions"
            actions={actions.filter(({ id }) => !['scale', 'edit', 'logs'].includes(id))}
          />
        </>
      }
      tabs={TABS.map((name) => (
        <Link
          key={name}
          to="/services/detail/$appId"
          params={{ appId: app.id }}
          search={name === 'instances' ? {} : { tab: name }}
          replace
          activeOptions={{ exact: true, includeSearch: true }}
          className="tab"
          aria-current={name === tab ? 'page' : undefined}
        >
          {TAB_LABELS[name]}
          {name === 'instances' ? (
            <span className="tab-count">{app.tasks?.length ?? 0}</span>
          ) : null}
          {name === 'debug' && (status === 'waiting' || status === 'delayed') ? (
            <span className="tab-badge" data-tone="warn">
              !
            </span>
          ) : null}
        </Link>
      ))}
    >
      <ServiceBanner
        service={service}
        queueEntry={queueEntry}
        onShowOffers={
          tab === 'debug'
            ? undefined
            : () =>
                void navigate({
                  params: { appId: app.id },
                  search: { tab: 'debug' },
                  replace: true,
                })
        }
      />
      {tab === 'instances' ? <ServiceHead service={service} /> : null}
      <Suspense fallback={<LoadingRows rows={4} label={TAB_LABELS[tab]} />}>
        {tab === 'instances' ? <InstancesTab app={app} /> : null}
        {tab === 'logs' ? <LogsTab app={app} /> : null}
        {tab === 'configuration' ? <ConfigurationTab app={app} /> : null}
        {tab === 'debug' ? <DebugTab service={service} queueEntry={queueEntry} /> : null}
      </Suspense>
    </PageFrame>
  );
}

/** Instances drawn as cells in the head; more become a bar. */
const CELLS_MAX = 120;

function ServiceHead({ service }: { readonly service: Service }): ReactElement {
  const { app } = service;
  const image = app.container?.docker?.image;
  const facts: readonly (readonly [string, ReactNode])[] = [
    ['Running', `${app.tasksRunning ?? 0} of ${app.instances}`],
    ['Healthy', (app.healthChecks?.length ?? 0) === 0 ? '–' : String(app.tasksHealthy ?? 0)],
    ['CPU', formatNumber(app.cpus * app.instances)],
    ['Memory', formatMebibytes(app.mem * app.instances)],
  ];
  return (
    <section className="panel service-head" aria-label="Overview">
      <div style={{ minWidth: 0 }}>
        <InstanceCells counts={healthCounts(app)} cellsMax={CELLS_MAX} size="large" />
        <p className="mono truncate muted" style={{ marginTop: 10 }} title={app.cmd ?? image}>
          {image === undefined ? '' : `${image}  `}
          {app.cmd ?? ''}
        </p>
      </div>
      <dl className="service-stats">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function ServiceCrumbs({ appId }: { readonly appId: string }): ReactElement {
  const name = appId.slice(appId.lastIndexOf('/') + 1);
  return (
    <nav aria-label="Service" style={{ minWidth: 0 }}>
      <ol className="crumbs">
        <li>
          <Link to="/services">Services</Link>
        </li>
        {groupTrail(parentGroup(appId)).map((step) => (
          <li key={step.id}>
            <span className="crumb-slash" aria-hidden="true">
              /
            </span>
            <Link to="/services" search={{ group: step.id }}>
              {step.name}
            </Link>
          </li>
        ))}
        <li>
          <span className="crumb-slash" aria-hidden="true">
            /
          </span>
          <h1 className="truncate">{name}</h1>
        </li>
      </ol>
    </nav>
  );
}
