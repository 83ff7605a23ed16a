/**
 * Whether an agent may come back as what it was, although it is described otherwise now: frameworks and operators made
 * plans with what it said before. Source: mesos-kernel §6.4.
 */

import { Resources, resourcesText } from '@dcos/resources';
import type { AgentInfo, Attribute } from '@dcos/wire';

/**
 * - `equal`: nothing may differ;
 * - `additive`: more resources, new attributes and a domain where none was; host name and port stay;
 * - `any`: everything may, as long as reservations and volumes fit; for agents that find out anew what they are.
 */
export type ReconfigurationPolicy = 'equal' | 'additive' | 'any';

/** Why it may not come back, with what to do; undefined when it may. */
export function reconfigurationProblem(
  policy: ReconfigurationPolicy,
  before: AgentInfo,
  now: AgentInfo,
): string | undefined {
  if (policy === 'any') return undefined;
  const difference =
    changed('hostname', before.hostname, now.hostname) ??
    changed('port', before.port, now.port) ??
    resourcesProblem(policy, before, now) ??
    attributesProblem(policy, before, now) ??
    domainProblem(policy, before, now);
  if (difference === undefined) return undefined;
  const remedies = [
    'Start it as before',
    ...(policy === 'equal' ? ["set the reconfiguration policy to 'additive' if that suits"] : []),
    'or empty its work directory to make it a new agent',
  ];
  return `the agent is not what it was: ${difference}. ${remedies.join(', ')}`;
}

function changed(what: string, before: unknown, now: unknown): string | undefined {
  return before === now ? undefined : `its ${what} was ${show(before)} and is ${show(now)}`;
}

function show(value: unknown): string {
  return value === undefined
    ? 'not given'
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

function resourcesProblem(
  policy: ReconfigurationPolicy,
  before: AgentInfo,
  now: AgentInfo,
): string | undefined {
  const [old, present] = [before, now].map(({ resources }) => Resources.fromWire(resources));
  if (old === undefined || present === undefined) return undefined;
  const fits = policy === 'equal' ? old.equals(present) : present.contains(old);
  if (fits) return undefined;
  return `it had ${resourcesText(old.toWire())} and has ${resourcesText(present.toWire())}`;
}

function attributesProblem(
  policy: ReconfigurationPolicy,
  before: AgentInfo,
  now: AgentInfo,
): string | undefined {
  const textOf = ({ attributes = [] }: AgentInfo): readonly string[] =>
    attributes.map(attributeText);
  const [old, present] = [textOf(before), textOf(now)];
  const gone = old.find((text) => !present.includes(text));
  if (gone !== undefined) return `its attribute ${gone} is gone`;
  // Which of several attributes of a name counts must not change either.
  const names = new Set((before.attributes ?? []).map(({ name }) => name));
  const added = (now.attributes ?? []).filter((one) => !old.includes(attributeText(one)));
  const odd = policy === 'equal' ? added[0] : added.find(({ name }) => names.has(name));
  return odd === undefined ? undefined : `it has a new attribute ${attributeText(odd)}`;
}

function attributeText({ name, scalar, ranges, text, set }: Attribute): string {
  const value = text?.value ?? scalar?.value ?? ranges?.range ?? set?.item;
  return `${name}:${show(value)}`;
}

function domainProblem(
  policy: ReconfigurationPolicy,
  before: AgentInfo,
  now: AgentInfo,
): string | undefined {
  const [old, present] = [before, now].map(({ domain }) => JSON.stringify(domain));
  if (policy === 'additive' && old === undefined) return undefined;
  return old === present ? undefined : changed('fault domain', old, present);
}
