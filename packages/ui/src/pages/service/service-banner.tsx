/** What keeps a service from running, said first thing on its page, with the way out beside it. */
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { App, QueueEntry } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { Age, Notice, useNow } from '../../components/feedback.tsx';
import { explainPlacement } from '../../model/explanation.ts';
import { countOf, formatAge, formatDuration } from '../../model/format.ts';
import type { Service } from '../../model/service-tree.ts';
import { retryNow } from './service-actions.ts';

export interface ServiceBannerProps {
  readonly service: Service;
  readonly queueEntry: QueueEntry | undefined;
  /** Left out where the offers are already on the page. */
  readonly onShowOffers: (() => void) | undefined;
}

export function ServiceBanner(props: ServiceBannerProps): ReactElement | null {
  const { service, queueEntry, onShowOffers } = props;
  const { app, status } = service;
  if (queueEntry !== undefined && status === 'delayed') {
    return <DelayedNotice app={app} entry={queueEntry} />;
  }
  if (queueEntry !== undefined && status === 'waiting') {
    return <WaitingNotice service={service} entry={queueEntry} onShowOffers={onShowOffers} />;
  }
  return null;
}

interface WaitingNoticeProps {
  readonly service: Service;
  readonly entry: QueueEntry;
  /** Left out where the offers are already on the page. */
  readonly onShowOffers: (() => void) | undefined;
}

function WaitingNotice({ service, entry, onShowOffers }: WaitingNoticeProps): ReactElement {
  const { reasons, summary } = explainPlacement(entry, service.app);
  const now = useNow(10_000);
  const since =
    entry.since === undefined ? '' : ` since ${formatAge(Date.parse(entry.since), now)}`;
  const [first, ...others] = reasons;
  return (
    <Notice
      tone="warn"
      title={first?.text ?? summary}
      action={
        onShowOffers === undefined ? null : (
          <Button size="small" onPress={onShowOffers}>
            Show offers
          </Button>
        )
      }
    >
      {others.length === 0 ? null : (
        <ul className="notice-list">
          {others.map((reason) => (
            <li key={reason.code}>{reason.text}</li>
          ))}
        </ul>
      )}
      <p className="muted">
        {countOf(entry.count, 'instance')} waiting for a suitable offer
        {since.replace(' ago', '').replace('since', 'for')}.
      </p>
    </Notice>
  );
}

interface DelayedNoticeProps {
  readonly app: App;
  readonly entry: QueueEntry;
}

function DelayedNotice({ app, entry }: DelayedNoticeProps): ReactElement {
  const failure = app.lastTaskFailure;
  return (
    <Notice
      tone="bad"
      title="Launches are delayed after failures"
      action={
        <Button size="small" icon="restart" onPress={() => void retryNow(app.id)}>
          Retry now
        </Button>
      }
    >
      <p className="muted">
        The next attempt comes in{' '}
        <span className="num">{formatDuration(entry.delay.timeLeftSeconds)}</span>.
      </p>
      {failure === undefined ? null : (
        <p className="in-text">
          Last failure <Age timeMs={Date.parse(failure.timestamp)} /> on {failure.host}:{' '}
          <code>{failure.message === '' ? failure.state : failure.message}</code>{' '}
          <Link
            to="/services/detail/$appId"
            params={{ appId: app.id }}
            search={{ tab: 'logs', task: failure.taskId, file: 'stderr' }}
          >
            Error log
          </Link>
        </p>
      )}
    </Notice>
  );
}
