/**
 * The query language of the service list, kept in the URL: `is:`, `has:`, `no:` and `label:` tokens,
 * and free words that match fuzzily. Tokens of one facet widen (`is:running is:waiting`), facets
 * narrow each other. Unknown tokens are reported, not guessed at.
 */
import type { App } from '../api/types.ts';
import { fuzzyScore } from './fuzzy.ts';
import { hasHealthChecks, healthVerdict } from './service-status.ts';
import type { HealthVerdict, ServiceStatus } from './service-status.ts';

export interface ServiceFilter {
  readonly statuses: readonly ServiceStatus[];
  readonly healths: readonly HealthVerdict[];
  readonly features: readonly { readonly name: FeatureName; readonly wanted: boolean }[];
  readonly labels: readonly { readonly name: string; readonly value: string | undefined }[];
  readonly words: readonly string[];
  /** Tokens that look like ours but mean nothing. */
  readonly unknown: readonly string[];
}

export type FeatureName = 'volumes' | 'healthchecks' | 'constraints' | 'failures' | 'docker';

const STATUS_TOKENS: Readonly<Record<string, ServiceStatus>> = {
  running: 'running',
  deploying: 'deploying',
  suspended: 'suspended',
  stopped: 'suspended',
  delayed: 'delayed',
  waiting: 'waiting',
  recovering: 'recovering',
  deleting: 'deleting',
};
const HEALTH_TOKENS: Readonly<Record<string, HealthVerdict>> = {
  healthy: 'healthy',
  unhealthy: 'unhealthy',
  unknown: 'unknown',
};
const FEATURE_TOKENS: readonly FeatureName[] = [
  'volumes',
  'healthchecks',
  'constraints',
  'failures',
  'docker',
];

/** Splits the text of the search box; never fails. */
export function parseServiceFilter(text: string): ServiceFilter {
  const filter = {
    statuses: [] as ServiceStatus[],
    healths: [] as HealthVerdict[],
    features: [] as { name: FeatureName; wanted: boolean }[],
    labels: [] as { name: string; value: string | undefined }[],
    words: [] as string[],
    unknown: [] as string[],
  };
  for (const token of text.split(/\s+/).filter((part) => part !== '')) {
    const match = /^(is|has|no|label):(.*)$/.exec(token);
    const [, kind, value] = match ?? [];
    if (kind === undefined || value === undefined) {
      filter.words.push(token);
    } else if (kind === 'label' && value !== '') {
      const [name = '', ...rest] = value.split('=');
      filter.labels.push({ name, value: rest.length === 0 ? undefined : rest.join('=') });
    } else if (!takeToken(kind, value.toLowerCase(), filter)) {
      filter.unknown.push(token);
    }
  }
  return filter;
}

function takeToken(
  kind: string,
  value: string,
  into: {
    statuses: ServiceStatus[];
    healths: HealthVerdict[];
    features: { name: FeatureName; wanted: boolean }[];
  },
): boolean {
  if (kind === 'is') {
    const status = STATUS_TOKENS[value];
    const health = HEALTH_TOKENS[value];
    if (status !== undefined) into.statuses.push(status);
    else if (health !== undefined) into.healths.push(health);
    else return false;
    return true;
  }
  const feature = FEATURE_TOKENS.find((name) => name === value);
  if (feature === undefined) return false;
  into.features.push({ name: feature, wanted: kind === 'has' });
  return true;
}

/** True when nothing is asked for: the tree view instead of the flat result. */
export function isEmptyFilter(filter: ServiceFilter): boolean {
  return (
    filter.statuses.length +
      filter.healths.length +
      filter.features.length +
      filter.labels.length +
      filter.words.length ===
    0
  );
}

/** Whether an app with this status passes. */
export function matchesFilter(filter: ServiceFilter, app: App, status: ServiceStatus): boolean {
  if (filter.statuses.length > 0 && !filter.statuses.includes(status)) return false;
  if (filter.healths.length > 0 && !filter.healths.includes(healthVerdict(app))) return false;
  if (filter.features.some(({ name, wanted }) => FEATURES[name](app) !== wanted)) return false;
  if (filter.labels.some((label) => !hasLabel(app, label))) return false;
  return filter.words.every((word) => fuzzyScore(word, searchText(app)) !== undefined);
}

const FEATURES: Readonly<Record<FeatureName, (app: App) => boolean>> = {
  volumes: (app) => (app.container?.volumes?.length ?? 0) > 0,
  healthchecks: hasHealthChecks,
  constraints: (app) => (app.constraints?.length ?? 0) > 0,
  failures: (app) => app.lastTaskFailure !== undefined,
  docker: (app) => app.container?.docker?.image !== undefined,
};

function hasLabel(
  app: App,
  label: { readonly name: string; readonly value: string | undefined },
): boolean {
  const actual = app.labels?.[label.name];
  return actual !== undefined && (label.value === undefined || actual === label.value);
}

function searchText(app: App): string {
  return app.id;
}

/** Adds the token, or removes it when it is there: what the filter chips do to the text. */
export function toggleToken(text: string, token: string): string {
  const tokens = text.split(/\s+/).filter((part) => part !== '');
  return tokens.includes(token)
    ? tokens.filter((part) => part !== token).join(' ')
    : [...tokens, token].join(' ');
}
