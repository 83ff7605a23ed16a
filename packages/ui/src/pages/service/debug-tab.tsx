/** Why is it not running: offers and who refused them, the last failure, changes, task statistics. */
import { Link } from '@tanstack/react-router';
import type { ReactElement, ReactNode } from 'react';
import type { App, QueueEntry, TaskStatistics, UnusedOffer } from '../../api/types.ts';
import { Age, EmptyState } from '../../components/feedback.tsx';
import { TaskBadge } from '../../components/status.tsx';
import {
  explainPlacement,
  offerFunnel,
  ORDINARY_STAGES,
  REJECT_STAGES,
} from '../../model/explanation.ts';
import type { FunnelStage } from '../../model/explanation.ts';
import { countOf, formatDuration, formatTimestamp } from '../../model/format.ts';
import type { Service } from '../../model/service-tree.ts';

export interface DebugTabProps {
  readonly service: Service;
  readonly queueEntry: QueueEntry | undefined;
}

export function DebugTab({ service, queueEntry }: DebugTabProps): ReactElement {
  const { app } = service;
  return (
    <div className="grid">
      <OffersPanel app={app} entry={queueEntry} />
      <div className="columns-2">
        <FailurePanel app={app} />
        <ChangesPanel app={app} />
      </div>
      <StatisticsPanel app={app} />
    </div>
  );
}

function Panel({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
      </div>
      <div className="panel-body">{children}</div>
    </section>
  );
}

function OffersPanel({
  app,
  entry,
}: {
  readonly app: App;
  readonly entry: QueueEntry | undefined;
}): ReactElement {
  if (entry === undefined) {
    return (
      <Panel title="Offers">
        <p className="muted">Nothing waits for an offer: all wanted instances have been placed.</p>
      </Panel>
    );
  }
  const placement = explainPlacement(entry, app);
  const stages = offerFunnel(entry);
  const offersSeen = Math.max(...stages.map((stage) => stage.processed), 0);
  const offers = entry.lastUnusedOffers ?? [];
  return (
    <Panel title="Offers">
      {stages.length === 0 ? <p>{placement.summary}</p> : null}
      {stages.length === 0 ? null : (
        <div className="funnel" role="list" aria-label="What became of the last offers">
          {stages.map((stage) => (
            <div className="funnel-row" role="listitem" key={stage.code}>
              <span>{stage.label}</span>
              <div className="funnel-bar" aria-hidden="true">
                <div
                  className="funnel-pass"
                  style={{ width: `${share(stage.matched, offersSeen)}%` }}
                />
                <div
                  className="funnel-stop"
                  style={{ width: `${share(stage.declined, offersSeen)}%` }}
                />
              </div>
              <span className="num muted">{stageText(stage)}</span>
            </div>
          ))}
        </div>
      )}
      {offers.length === 0 ? null : <OfferTable offers={offers} />}
    </Panel>
  );
}

function share(part: number, whole: number): number {
  return whole > 0 ? (part / whole) * 100 : 0;
}

function stageText(stage: FunnelStage): string {
  if (stage.processed === 0) return 'no offer got here';
  return stage.declined === 0
    ? `${stage.matched} passed`
    : `${stage.declined} of ${stage.processed} turned down`;
}

type Stage = (typeof REJECT_STAGES)[number];

function OfferTable({ offers }: { readonly offers: readonly UnusedOffer[] }): ReactElement {
  const stages = REJECT_STAGES.filter(
    ({ code }) =>
      ORDINARY_STAGES.has(code) || offers.some((unused) => unused.reason.includes(code)),
  );
  const columns = `minmax(120px, 1.4fr) repeat(${stages.length}, minmax(96px, 1fr)) 104px`;
  return (
    <div className="table" style={{ marginTop: 18, boxShadow: 'none' }}>
      <div className="table-scroll">
        <div
          className="table-grid"
          role="table"
          aria-label="Last unused offers"
          style={{ ['--columns' as string]: columns, ['--table-min' as string]: '840px' }}
        >
          <div className="thead" role="rowgroup">
            <div className="tr" role="row">
              {['Offer of', ...stages.map((stage) => stage.label), 'Received'].map((label) => (
                <span className="th" role="columnheader" key={label}>
                  {label}
                </span>
              ))}
            </div>
          </div>
          <div className="tbody" role="rowgroup">
            {offers.map((unused, index) => (
              <OfferRow key={unused.offer.id ?? index} unused={unused} stages={stages} />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

interface OfferRowProps {
  readonly unused: UnusedOffer;
  readonly stages: readonly Stage[];
}

function OfferRow({ unused, stages }: OfferRowProps): ReactElement {
  const refusedAt = stages.findIndex((stage) => unused.reason.includes(stage.code));
  return (
    <div className="tr" role="row" style={{ minHeight: 38 }}>
      <span className="td truncate" role="cell">
        {unused.offer.hostname ?? '–'}
      </span>
      {stages.map((stage, index) => (
        <span className="td" role="cell" key={stage.code}>
          <StageMark
            isRefused={unused.reason.includes(stage.code)}
            isReached={refusedAt < 0 || index <= refusedAt}
          />
        </span>
      ))}
      <span className="td muted" role="cell">
        <Age timeMs={Date.parse(unused.timestamp)} />
      </span>
    </div>
  );
}

/** Matching stops at the first refusal: what comes after it was not looked at. */
function StageMark({
  isRefused,
  isReached,
}: {
  readonly isRefused: boolean;
  readonly isReached: boolean;
}): ReactElement {
  if (isRefused) return <span className="cross">✕ refused</span>;
  if (!isReached) return <span className="visually-hidden">not looked at</span>;
  return (
    <>
      <span className="tick" aria-hidden="true">
        ✓
      </span>
      <span className="visually-hidden">passed</span>
    </>
  );
}

function FailurePanel({ app }: { readonly app: App }): ReactElement {
  const failure = app.lastTaskFailure;
  return (
    <Panel title="Last task failure">
      {failure === undefined ? (
        <p className="muted">No task of this service has failed.</p>
      ) : (
        <dl className="facts">
          <dt>State</dt>
          <dd>
            <TaskBadge state={failure.state} />
          </dd>
          <dt>Message</dt>
          <dd className="mono">{failure.message === '' ? '–' : failure.message}</dd>
          <dt>Host</dt>
          <dd>{failure.host}</dd>
          <dt>When</dt>
          <dd>
            <Age timeMs={Date.parse(failure.timestamp)} />{' '}
            <span className="faint num">{formatTimestamp(Date.parse(failure.timestamp))}</span>
          </dd>
          <dt>Task</dt>
          <dd className="mono">
            {failure.taskId}
            <div style={{ display: 'flex', gap: 14, marginTop: 4 }}>
              {(['stderr', 'stdout'] as const).map((file) => (
                <Link
                  key={file}
                  to="/services/detail/$appId"
                  params={{ appId: app.id }}
                  search={{ tab: 'logs', task: failure.taskId, file }}
                >
                  {file === 'stderr' ? 'Error log' : 'Output log'}
                </Link>
              ))}
            </div>
          </dd>
        </dl>
      )}
    </Panel>
  );
}

function ChangesPanel({ app }: { readonly app: App }): ReactElement {
  const scaled = Date.parse(app.versionInfo?.lastScalingAt ?? '');
  const configured = Date.parse(app.versionInfo?.lastConfigChangeAt ?? '');
  return (
    <Panel title="Last changes">
      <dl className="facts">
        <dt>Scale or restart</dt>
        <dd>
          <Age timeMs={scaled} /> <span className="faint num">{formatTimestamp(scaled)}</span>
        </dd>
        <dt>Configuration</dt>
        <dd>
          <Age timeMs={configured} />{' '}
          <span className="faint num">{formatTimestamp(configured)}</span>
        </dd>
        <dt>Version</dt>
        <dd className="mono">{app.version ?? '–'}</dd>
      </dl>
    </Panel>
  );
}

function StatisticsPanel({ app }: { readonly app: App }): ReactElement {
  const all = app.taskStats ?? app.tasksStats ?? {};
  const rows: readonly (readonly [string, TaskStatistics | undefined])[] = [
    ['Started after the last scaling', all.startedAfterLastScaling],
    ['Latest configuration', all.withLatestConfig],
    ['Outdated configuration', all.withOutdatedConfig],
    ['Total', all.totalSummary],
  ];
  const known = rows.flatMap(([label, entry]) =>
    entry === undefined ? [] : [{ label, ...entry.stats }],
  );
  return (
    <Panel title="Task statistics">
      {known.length === 0 ? (
        <EmptyState title="No tasks">Statistics appear when instances run.</EmptyState>
      ) : (
        <div className="table-scroll">
          <div
            className="table-grid"
            role="table"
            aria-label="Task statistics"
            style={{
              ['--columns' as string]: 'minmax(200px, 2fr) repeat(4, 1fr) 130px',
              ['--table-min' as string]: '660px',
            }}
          >
            <div className="tr" role="row" style={{ minHeight: 30 }}>
              {['', 'Running', 'Healthy', 'Unhealthy', 'Staged', 'Median lifetime'].map((label) => (
                <span className="th" role="columnheader" key={label} style={{ paddingLeft: 0 }}>
                  {label}
                </span>
              ))}
            </div>
            {known.map(({ label, counts, lifeTime }) => (
              <div className="tr" role="row" key={label} style={{ minHeight: 34 }}>
                {[
                  label,
                  counts.running,
                  counts.healthy,
                  counts.unhealthy,
                  counts.staged,
                  lifeTime === undefined ? '–' : formatDuration(lifeTime.medianSeconds),
                ].map((value, index) => (
                  <span className="td num" role="cell" key={index} style={{ paddingLeft: 0 }}>
                    {value}
                  </span>
                ))}
              </div>
            ))}
          </div>
        </div>
      )}
      <p className="visually-hidden">{countOf(known.length, 'group')}</p>
    </Panel>
  );
}
