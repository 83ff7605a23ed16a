/** What `docs/operations/aws.md` says about ports and permissions is what the code does. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parsePorts, rulesOf } from './core/ports.ts';
import { HOST_ROLES } from './core/wanted.ts';
import { hostHandlers } from './testing/fake-hosts.ts';
import { networkHandlers } from './testing/fake-network.ts';
import { FakeState } from './testing/fake-state.ts';

const PAGE = readFileSync(join(import.meta.dirname, '../../../../docs/operations/aws.md'), 'utf8');

interface Policy {
  readonly Statement: readonly { readonly Action: readonly string[] }[];
}

test('the policy allows every action of the port to EC2, and no other', () => {
  const state = new FakeState();
  const used = Object.keys({ ...networkHandlers(state), ...hostHandlers(state) });
  const json = /```json\n([^`]+)```/.exec(PAGE)?.[1] ?? '';
  const policy = JSON.parse(json) as Policy;
  const allowed = policy.Statement.flatMap((statement) => statement.Action);
  expect([...new Set(allowed)].sort()).toEqual(used.map((action) => `ec2:${action}`).sort());
});

test('the table of ports has every opening, and no other', () => {
  const rows = PAGE.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    return cells.length === 6 ? [cells.slice(1, 5).join(' | ')] : [];
  });
  const openings = new Map<string, { ports: Set<string>; from: Set<string>; to: Set<string> }>();
  const locations = {
    adminLocations: ['the operator'],
    publicLocations: ['the world'],
    publicPorts: ['80', '443', '10000-10100'].flatMap((text) => parsePorts(text) ?? []),
  };
  for (const role of HOST_ROLES) {
    for (const { why, protocol, fromPort, toPort, from } of rulesOf(role, locations)) {
      const opening = openings.get(why) ?? { ports: new Set(), from: new Set(), to: new Set() };
      const range = fromPort === toPort ? String(fromPort) : `${fromPort}-${toPort}`;
      opening.ports.add(`${range}/${protocol}`);
      opening.from.add(from.kind === 'group' ? from.role : from.cidr);
      opening.to.add(role);
      openings.set(why, opening);
    }
  }
  const wanted = [...openings].map(([why, { ports, from, to }]) =>
    [why, ...[ports, from, to].map((set) => [...set].join(', '))].join(' | '),
  );
  expect(rows.slice(2)).toEqual(wanted);
});
