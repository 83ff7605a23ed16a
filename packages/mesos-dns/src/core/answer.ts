/**
 * What the zone answers to a query.
 * Source: observed behaviour of Mesos-DNS. Differing from it: owner names are echoed as asked for every
 * type (clients that check the case of their question accept the answer), the owner of SOA is the zone,
 * SOA and NS of the zone itself stand in the answer section, and a name that only has names below it
 * exists (a strict resolver would otherwise deny those names too).
 */

import { shuffle, type Random } from '@dcos/base';
import {
  CLASS_ANY,
  CLASS_IN,
  OPCODE_QUERY,
  RCODE,
  TYPE,
  type Answer,
  type Query,
  type ResourceRecord,
} from './message.ts';
import type { Zone, ZoneName } from './zone.ts';

export interface AnswerOptions {
  /** The zone, in lower case, without a final dot. */
  readonly domain: string;
  readonly ttlSeconds: number;
  readonly srvWeight: number;
  readonly recursionAvailable: boolean;
  readonly soa: SoaOptions;
}

export interface SoaOptions {
  readonly mname: string;
  readonly rname: string;
  readonly refreshSeconds: number;
  readonly retrySeconds: number;
  readonly expireSeconds: number;
}

/** True when the query is about a name of the zone; others are not ours to answer. */
export function isInZone(query: Query, domain: string): boolean {
  const name = query.name.toLowerCase();
  return name === domain || name.endsWith(`.${domain}`);
}

/** The answer to a query that is not ours and that nobody is to be asked for. */
export function refusal(query: Query): Answer {
  return {
    ...emptyAnswer(query),
    rcode: RCODE.REFUSED,
    authoritative: false,
    recursionAvailable: false,
  };
}

function emptyAnswer(query: Query): Answer {
  return {
    id: query.id,
    opcode: OPCODE_QUERY,
    rcode: RCODE.NOERROR,
    authoritative: true,
    recursionDesired: query.recursionDesired,
    recursionAvailable: false,
    question: { name: query.name, type: query.type, class: query.class },
    answers: [],
    authorities: [],
    additionals: [],
  };
}

/** Answers a query about a name of the zone; the order of the answers is drawn by lot. */
export function answerQuery(
  query: Query,
  state: { readonly zone: Zone; readonly serial: number },
  options: AnswerOptions,
  random: Random,
): Answer {
  const answer: Answer = { ...emptyAnswer(query), recursionAvailable: options.recursionAvailable };
  if (query.class !== CLASS_IN && query.class !== CLASS_ANY) return refusal(query);
  const name = query.name.toLowerCase().replaceAll('.*', '');
  const held = state.zone.get(name);
  const records = shuffle(random, [
    ...recordsOfType(query, held, options),
    ...(name === options.domain ? zoneRecords(query.type, state.serial, options) : []),
  ]);
  if (records.length === 0) return negative(answer, query, { ...state, name }, options);
  const any = query.type === TYPE.ANY && name !== options.domain;
  return {
    ...answer,
    answers: records,
    authorities: any ? [soaRecord(state.serial, options), nsRecord(options)] : [],
    additionals: query.type === TYPE.SRV ? targetAddresses(held, state.zone, options) : [],
  };
}

function recordsOfType(
  query: Query,
  held: ZoneName | undefined,
  options: AnswerOptions,
): readonly ResourceRecord[] {
  if (held === undefined) return [];
  const { type, name } = query;
  const records: ResourceRecord[] = [];
  const { ttlSeconds, srvWeight: weight } = options;
  if (type === TYPE.SRV || type === TYPE.ANY) {
    for (const { target, port } of held.SRV) {
      records.push({ name, ttlSeconds, data: { type: 'SRV', priority: 0, weight, port, target } });
    }
  }
  if (type === TYPE.A || type === TYPE.ANY) {
    for (const address of held.A) records.push({ name, ttlSeconds, data: { type: 'A', address } });
  }
  if (type === TYPE.AAAA || type === TYPE.ANY) {
    for (const address of held.AAAA)
      records.push({ name, ttlSeconds, data: { type: 'AAAA', address } });
  }
  return records;
}

/** SOA and NS of the zone itself. */
function zoneRecords(
  type: number,
  serial: number,
  options: AnswerOptions,
): readonly ResourceRecord[] {
  const soa = type === TYPE.SOA || type === TYPE.ANY ? [soaRecord(serial, options)] : [];
  return type === TYPE.NS || type === TYPE.ANY ? [...soa, nsRecord(options)] : soa;
}

function negative(
  answer: Answer,
  query: Query,
  state: { readonly zone: Zone; readonly serial: number; readonly name: string },
  options: AnswerOptions,
): Answer {
  const exists = state.name === options.domain || state.zone.exists(state.name);
  // No SOA, as in the original: a resolver then keeps no memory of a service that is about to appear.
  if (query.type === TYPE.SRV && !exists) return answer;
  const rcode = exists ? RCODE.NOERROR : RCODE.NXDOMAIN;
  return { ...answer, rcode, authorities: [soaRecord(state.serial, options)] };
}

/** At most one address of each family for each distinct target. */
function targetAddresses(
  held: ZoneName | undefined,
  zone: Zone,
  { ttlSeconds }: AnswerOptions,
): readonly ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (const target of new Set(held?.SRV.map((srv) => srv.target))) {
    const addresses = zone.get(target);
    const [a] = addresses?.A ?? [];
    const [aaaa] = addresses?.AAAA ?? [];
    if (a !== undefined)
      records.push({ name: target, ttlSeconds, data: { type: 'A', address: a } });
    if (aaaa !== undefined) {
      records.push({ name: target, ttlSeconds, data: { type: 'AAAA', address: aaaa } });
    }
  }
  return records;
}

function soaRecord(serial: number, options: AnswerOptions): ResourceRecord {
  const { ttlSeconds, domain, soa } = options;
  return {
    name: domain,
    ttlSeconds,
    data: { type: 'SOA', ...soa, serial, minimumSeconds: ttlSeconds },
  };
}

function nsRecord({ domain, ttlSeconds, soa }: AnswerOptions): ResourceRecord {
  return { name: domain, ttlSeconds, data: { type: 'NS', target: soa.mname } };
}
