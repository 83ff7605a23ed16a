/** How states look: badge, one cell per instance, health bar. Colour is never the only sign. */
import type { ReactElement } from 'react';
import { statusLabel, statusTone } from '../model/service-status.ts';
import type { HealthCounts, ServiceStatus, Tone } from '../model/service-status.ts';

export interface BadgeProps {
  readonly tone: Tone;
  readonly text: string;
  readonly isPill?: boolean;
  readonly title?: string | undefined;
}

export function Badge({ tone, text, isPill = false, title }: BadgeProps): ReactElement {
  return (
    <span className="badge" data-tone={tone} title={title} {...(isPill ? { 'data-pill': '' } : {})}>
      <span className="badge-mark" aria-hidden="true" />
      {text}
    </span>
  );
}

export interface StatusBadgeProps {
  readonly status: ServiceStatus;
  readonly detail?: string | undefined;
  readonly isPill?: boolean;
}

export function StatusBadge({ status, detail, isPill = false }: StatusBadgeProps): ReactElement {
  const text = detail === undefined ? statusLabel(status) : `${statusLabel(status)} ${detail}`;
  return <Badge tone={statusTone(status)} text={text} isPill={isPill} />;
}

const TASK_TONES: Readonly<Record<string, Tone>> = {
  TASK_RUNNING: 'good',
  TASK_STAGING: 'busy',
  TASK_STARTING: 'busy',
  TASK_KILLING: 'busy',
  TASK_FINISHED: 'idle',
  TASK_KILLED: 'idle',
  TASK_FAILED: 'bad',
  TASK_ERROR: 'bad',
  TASK_LOST: 'bad',
  TASK_DROPPED: 'bad',
  TASK_GONE: 'bad',
  TASK_GONE_BY_OPERATOR: 'bad',
  TASK_UNREACHABLE: 'warn',
  TASK_UNKNOWN: 'warn',
};

export function taskTone(state: string): Tone {
  return TASK_TONES[state] ?? 'idle';
}

/** `TASK_GONE_BY_OPERATOR` → `Gone by operator`. */
export function taskStateLabel(state: string): string {
  const words = state
    .replace(/^TASK_/, '')
    .replaceAll('_', ' ')
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function TaskBadge({ state }: { readonly state: string }): ReactElement {
  return <Badge tone={taskTone(state)} text={taskStateLabel(state)} />;
}

interface HealthPart {
  readonly kind: keyof HealthCounts;
  readonly label: string;
  readonly tone: Tone;
}

const HEALTH_PARTS: readonly HealthPart[] = [
  { kind: 'healthy', label: 'healthy', tone: 'good' },
  { kind: 'unknown', label: 'running, health unknown', tone: 'good' },
  { kind: 'unhealthy', label: 'unhealthy', tone: 'bad' },
  { kind: 'staged', label: 'staged', tone: 'busy' },
  { kind: 'unscheduled', label: 'not scheduled', tone: 'idle' },
];

/** `3 healthy, 1 staged`: the health bar in words. */
export function healthText(counts: HealthCounts): string {
  const parts = HEALTH_PARTS.filter((part) => counts[part.kind] > 0).map(
    (part) => `${counts[part.kind]} ${part.label}`,
  );
  if (counts.overCapacity > 0) parts.push(`${counts.overCapacity} over capacity`);
  return parts.length === 0 ? 'no instances' : parts.join(', ');
}

export interface InstanceCellsProps {
  readonly counts: HealthCounts;
  /** Above this number a bar of shares is drawn instead of cells. */
  readonly cellsMax: number;
  readonly size?: 'large';
}

export function InstanceCells({ counts, cellsMax, size }: InstanceCellsProps): ReactElement {
  const total = HEALTH_PARTS.reduce((sum, part) => sum + counts[part.kind], 0);
  const text = healthText(counts);
  if (total > cellsMax) return <HealthBar counts={counts} />;
  return (
    <span
      className="cells"
      role="img"
      aria-label={text}
      title={text}
      {...(size === undefined ? {} : { 'data-size': size })}
    >
      {HEALTH_PARTS.flatMap((part) =>
        Array.from({ length: counts[part.kind] }, (_, index) => (
          <span
            key={`${part.kind}-${index}`}
            className="cell"
            data-kind={part.kind}
            data-tone={part.tone}
          />
        )),
      )}
    </span>
  );
}

export function HealthBar({ counts }: { readonly counts: HealthCounts }): ReactElement {
  const text = healthText(counts);
  return (
    <span className="health-bar" role="img" aria-label={text} title={text}>
      {HEALTH_PARTS.filter((part) => counts[part.kind] > 0).map((part) => (
        <span
          key={part.kind}
          data-kind={part.kind}
          data-tone={part.tone}
          style={{ flexGrow: counts[part.kind] }}
        />
      ))}
    </span>
  );
}
