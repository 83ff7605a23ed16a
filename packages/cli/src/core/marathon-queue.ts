/**
 * The launch queue: what waits to be started, and which constraint or resource turned down how many
 * offers. A row of ours carries an `explanation`; for rows of other servers, which have none, one
 * is made from the counts of the offers seen last.
 */

import { compareText } from '@dcos/base';
import type { JsonObject, JsonValue } from '@dcos/base';
import { notAvailable, toTrueFalse } from './format.ts';
import {
  booleanField,
  listField,
  numberField,
  objectField,
  objectsField,
  textField,
  textsField,
} from './json-field.ts';

const none = '---';

/** The id of the app or pod that waits, empty when the server sent none. */
export function queueItemId(item: JsonObject): string {
  return textField(queuedDefinition(item), 'id') ?? '';
}

/** True when nothing but offers is missing: the delay after failures is over. */
export function isOverdue(item: JsonObject): boolean {
  return booleanField(objectField(item, 'delay'), 'overdue') ?? false;
}

/** The rows of one app or pod. */
export function selectQueueItems(queue: readonly JsonObject[], id: string): readonly JsonObject[] {
  return queue.filter((item) => queueItemId(item) === id);
}

export const queueHeadings: readonly string[] = [
  'ID',
  'SINCE',
  'INSTANCES TO LAUNCH',
  'WAITING',
  'PROCESSED OFFERS',
  'UNUSED OFFERS',
  'LAST UNUSED OFFER',
  'LAST USED OFFER',
];

/** Rows of `marathon debug list`, by id. */
export function queueRows(queue: readonly JsonObject[]): readonly (readonly string[])[] {
  return queue
    .map((item) => {
      const offers = objectField(item, 'processedOffersSummary');
      return [
        queueItemId(item),
        textField(item, 'since') ?? none,
        String(numberField(item, 'count') ?? 0),
        toTrueFalse(isOverdue(item)),
        String(numberField(offers, 'processedOffersCount') ?? 0),
        String(numberField(offers, 'unusedOffersCount') ?? 0),
        textField(offers, 'lastUnusedOfferAt') ?? none,
        textField(offers, 'lastUsedOfferAt') ?? none,
      ];
    })
    .toSorted((left, right) => compareText(left[0] ?? '', right[0] ?? ''));
}

/** Stages that an offer passes, in order, with the name that the server gives to a refusal there. */
const stages = [
  { heading: 'ROLE', reason: 'UnfulfilledRole' },
  { heading: 'CONSTRAINTS', reason: 'UnfulfilledConstraint' },
  { heading: 'CPUS', reason: 'InsufficientCpus' },
  { heading: 'MEM', reason: 'InsufficientMemory' },
  { heading: 'DISK', reason: 'InsufficientDisk' },
  { heading: 'PORTS', reason: 'InsufficientPorts' },
] as const;

const scarceReason = 'DeclinedScarceResources';

export const summaryHeadings: readonly string[] = [
  'RESOURCE',
  'REQUESTED',
  'MATCHED',
  'PERCENTAGE',
];

/** Rows of `marathon debug summary`: how many of the last offers passed each stage. */
export function summaryRows(item: JsonObject): readonly (readonly string[])[] {
  const counts = rejectCounts(item);
  return stages.map(({ heading, reason }) => {
    const found = counts.find((count) => count.reason === reason);
    const processed = found?.processed ?? 0;
    const matched = processed - (found?.declined ?? 0);
    const percentage = processed === 0 ? none : `${((matched / processed) * 100).toFixed(2)}%`;
    return [heading, requested(item, heading), `${matched} / ${processed}`, percentage];
  });
}

export const detailHeadings: readonly string[] = [
  'HOSTNAME',
  'ROLE',
  'CONSTRAINTS',
  'CPUS',
  'MEM',
  'DISK',
  'PORTS',
  'SCARCE',
  'RECEIVED',
];

/** Rows of `marathon debug details`: what each of the last unused offers had to give. */
export function detailRows(item: JsonObject): readonly (readonly string[])[] {
  return objectsField(item, 'lastUnusedOffers')
    .map((unused) => {
      const reasons = textsField(unused, 'reason');
      return [
        textField(objectField(unused, 'offer'), 'hostname') ?? notAvailable,
        ...stages.map(({ reason }) => (reasons.includes(reason) ? '-' : 'ok')),
        reasons.includes(scarceReason) ? '-' : 'ok',
        textField(unused, 'timestamp') ?? notAvailable,
      ];
    })
    .toSorted((left, right) => compareText(left[0] ?? '', right[0] ?? ''));
}

/** One sentence why this row waits; undefined when it does not wait for offers. */
export function waitingSentence(item: JsonObject): string | undefined {
  const id = queueItemId(item);
  const summary = textField(objectField(item, 'explanation'), 'summary');
  if (summary !== undefined && summary !== '') {
    return `${id}: ${summary}`;
  }
  if (!isOverdue(item)) return undefined;
  const causes = rejectCounts(item)
    .filter((count) => count.declined > 0)
    .map(
      (count) => `${stageName(count.reason)} turned down ${count.declined} of ${count.processed}`,
    );
  if (causes.length > 0) return `${id} is waiting: ${causes.join(', ')} offers`;
  const offers = objectField(item, 'processedOffersSummary');
  const processed = numberField(offers, 'processedOffersCount') ?? 0;
  return processed === 0 ? `${id} is waiting: no offer has arrived yet` : undefined;
}

/** Sentences for all rows that wait, by id, each once. */
export function waitingSentences(queue: readonly JsonObject[]): readonly string[] {
  return [...new Set(queue.flatMap((item) => waitingSentence(item) ?? []))].toSorted(compareText);
}

interface RejectCount {
  readonly reason: string;
  readonly declined: number;
  readonly processed: number;
}

// A launch attempt that is going on has its own counts, as long as it saw offers.
function rejectCounts(item: JsonObject): readonly RejectCount[] {
  const offers = objectField(item, 'processedOffersSummary');
  const attempt = countsOf(objectsField(offers, 'rejectSummaryLaunchAttempt'));
  const last = countsOf(objectsField(offers, 'rejectSummaryLastOffers'));
  return last.some((count) => count.processed > 0) ? last : attempt;
}

function countsOf(rows: readonly JsonObject[]): readonly RejectCount[] {
  return rows.map((row) => ({
    reason: textField(row, 'reason') ?? '',
    declined: numberField(row, 'declined') ?? 0,
    processed: numberField(row, 'processed') ?? 0,
  }));
}

function stageName(reason: string): string {
  const stage = stages.find((candidate) => candidate.reason === reason);
  return stage?.heading.toLowerCase() ?? reason;
}

function requested(item: JsonObject, heading: (typeof stages)[number]['heading']): string {
  const definition = queuedDefinition(item);
  if (heading === 'ROLE') {
    const roles = textsField(definition, 'acceptedResourceRoles');
    return `[${(roles.length === 0 ? [textField(item, 'role') ?? '*'] : roles).join(', ')}]`;
  }
  if (heading === 'CONSTRAINTS') return constraints(definition);
  if (heading === 'PORTS') return ports(definition);
  const field = heading === 'MEM' ? 'mem' : heading === 'CPUS' ? 'cpus' : 'disk';
  return String(numberField(definition, field) ?? podResource(definition, field));
}

function constraints(definition: JsonObject | undefined): string {
  const placement = objectField(objectField(definition, 'scheduling'), 'placement');
  const pod = objectsField(placement, 'constraints').map((item) =>
    [item['fieldName'], item['operator'], item['value']].filter((part) => part !== undefined),
  );
  const app: readonly JsonValue[] = listField(definition, 'constraints');
  const all = pod.length > 0 ? pod : app;
  if (all.length === 0) return none;
  return `[${all.map((item) => (Array.isArray(item) ? `[${item.join(', ')}]` : '')).join(', ')}]`;
}

// A port that no agent has to have is any port.
function ports(definition: JsonObject | undefined): string {
  const container = objectField(definition, 'container');
  const mappings = [
    ...objectsField(container, 'portMappings'),
    ...objectsField(objectField(container, 'docker'), 'portMappings'),
  ].map((mapping) => numberField(mapping, 'hostPort') ?? 0);
  const required = booleanField(definition, 'requirePorts') ?? false;
  const definitions = objectsField(definition, 'portDefinitions').map((port) =>
    required ? (numberField(port, 'port') ?? 0) : 0,
  );
  const wanted = mappings.length > 0 ? mappings : definitions;
  return wanted.length === 0
    ? none
    : wanted.map((port) => (port === 0 ? 'any' : String(port))).join(', ');
}

function podResource(definition: JsonObject | undefined, field: string): number {
  return objectsField(definition, 'containers').reduce(
    (sum, container) => sum + (numberField(objectField(container, 'resources'), field) ?? 0),
    0,
  );
}

function queuedDefinition(item: JsonObject): JsonObject | undefined {
  return objectField(item, 'app') ?? objectField(item, 'pod');
}
