/** Empty, error and loading states, notices, copy buttons and times. */
import { useEffect, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { formatAge, formatTimestamp } from '../model/format.ts';
import type { Tone } from '../model/service-status.ts';
import { Button } from './button.tsx';
import { Icon } from './icon.tsx';
import type { IconName } from './icon.tsx';

export interface EmptyStateProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
  readonly tone?: 'bad';
}

/** What a place shows that has nothing yet: says so, and what to do next. */
export function EmptyState({ title, children, actions, tone }: EmptyStateProps): ReactElement {
  return (
    <div className="empty">
      <div
        className="empty-art"
        aria-hidden="true"
        {...(tone === undefined ? {} : { 'data-tone': tone })}
      >
        {[0, 1, 2, 3, 4, 5].map((index) => (
          <span key={index} {...(index === 4 ? { 'data-on': '' } : {})} />
        ))}
      </div>
      <h2>{title}</h2>
      <p>{children}</p>
      {actions === undefined ? null : <div className="empty-actions">{actions}</div>}
    </div>
  );
}

export interface ErrorStateProps {
  readonly what: string;
  readonly error: Error;
  readonly onRetry?: () => void;
}

export function ErrorState({ what, error, onRetry }: ErrorStateProps): ReactElement {
  return (
    <EmptyState
      title={`${what} could not be loaded`}
      tone="bad"
      actions={
        onRetry === undefined ? undefined : (
          <Button icon="restart" onPress={onRetry}>
            Try again
          </Button>
        )
      }
    >
      {error.message}
    </EmptyState>
  );
}

export function Skeleton({
  width,
  height,
}: {
  readonly width: string;
  readonly height: number;
}): ReactElement {
  return <div className="skeleton" style={{ width, height }} aria-hidden="true" />;
}

export function LoadingRows({
  rows,
  label,
}: {
  readonly rows: number;
  readonly label: string;
}): ReactElement {
  return (
    <div className="table" role="status" aria-label={`${label} is loading`}>
      {Array.from({ length: rows }, (_, index) => (
        <div className="tr" key={index} style={{ display: 'flex', padding: '0 16px', gap: 24 }}>
          <Skeleton width={`${24 - (index % 3) * 5}%`} height={12} />
          <Skeleton width="12%" height={12} />
          <Skeleton width="16%" height={12} />
        </div>
      ))}
    </div>
  );
}

const NOTICE_ICONS: Readonly<Record<Tone, IconName>> = {
  good: 'check',
  bad: 'error',
  warn: 'warning',
  busy: 'clock',
  idle: 'info',
};

export interface NoticeProps {
  readonly tone: Tone;
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

export function Notice({ tone, title, children, action }: NoticeProps): ReactElement {
  return (
    <div className="notice" data-tone={tone} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={NOTICE_ICONS[tone]} />
      <div className="notice-body">
        <p className="notice-title">{title}</p>
        {children}
      </div>
      {action}
    </div>
  );
}

export function CopyButton({
  text,
  label,
}: {
  readonly text: string;
  readonly label: string;
}): ReactElement {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <span className="copy">
      <Button
        icon={isCopied ? 'check' : 'copy'}
        label={isCopied ? 'Copied' : label}
        variant="ghost"
        size="small"
        onPress={() => {
          navigator.clipboard.writeText(text).then(
            () => setCopied(true),
            () => setCopied(false),
          );
        }}
      />
    </span>
  );
}

/** The wall clock, renewed every `stepMs`; for ages and countdowns. */
export function useNow(stepMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), stepMs);
    return () => clearInterval(timer);
  }, [stepMs]);
  return now;
}

/** A time as an age, with the full time in the tooltip. */
export function Age({ timeMs }: { readonly timeMs: number | undefined }): ReactElement {
  const now = useNow(10_000);
  if (timeMs === undefined || !Number.isFinite(timeMs)) return <span className="faint">–</span>;
  return (
    <time dateTime={new Date(timeMs).toISOString()} title={formatTimestamp(timeMs)} className="num">
      {formatAge(timeMs, Math.max(now, timeMs))}
    </time>
  );
}
