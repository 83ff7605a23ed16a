import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SESSION_TIMEOUT_MS, SessionWorld } from '../../testing/session-world.ts';

const FAULTS_END_MS = 20_000;
const NOT_SENT = /^(?:SESSIONEXPIRED|OPERATIONTIMEOUT)$/;
const QUIET_MS = 4 * SESSION_TIMEOUT_MS;

const fault = fc.oneof(
  fc.record({ kind: fc.constant('break' as const) }),
  fc.record({ kind: fc.constant('swallow' as const) }),
  fc.record({ kind: fc.constant('freezeServer' as const), forMs: fc.nat(2 * SESSION_TIMEOUT_MS) }),
  fc.record({ kind: fc.constant('freezeClient' as const), forMs: fc.nat(2 * SESSION_TIMEOUT_MS) }),
);
const timed = <T>(what: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(fc.nat(FAULTS_END_MS), what), { maxLength: 12 });

const scenario = fc.record({
  seed: fc.nat(),
  faults: timed(fault),
  writes: timed(fc.constant(undefined)),
  changes: timed(fc.constant(undefined)),
});

test('whatever fails: no session is believed in that is over, no request is lost or done twice', () => {
  fc.assert(
    fc.property(scenario, ({ seed, faults, writes, changes }) => {
      const world = new SessionWorld(seed);
      world.check = () => {
        if (world.session.isAliveAt(world.nowMs)) {
          expect(world.ensemble.hasSession(world.session.id, world.nowMs)).toBe(true);
        }
      };
      world.start();
      for (const [atMs, act] of faults) {
        world.at(atMs, () => {
          if (act.kind === 'break') world.breakConnection();
          else if (act.kind === 'swallow') world.swallow();
          else if (act.kind === 'freezeServer') world.freeze(world.host(), act.forMs);
          else world.freeze('client', act.forMs);
        });
      }
      const data = new Uint8Array(3);
      for (const [index, [atMs]] of writes.entries()) {
        const path = `/w${index}`;
        world.at(atMs, () => world.request(index, { kind: 'setData', path, data, version: -1 }));
      }
      for (const [atMs] of changes) world.at(atMs, () => world.set('/watched'));
      world.runUntil(FAULTS_END_MS + QUIET_MS);

      const answers = world.log.flatMap((entry) => (entry.kind === 'answer' ? [entry] : []));
      expect(answers.map(({ id }) => id).sort((a, b) => a - b)).toEqual(writes.map((_, id) => id));
      for (const { id, result } of answers) {
        const done = world.ensemble.executions.get(`/w${id}`) ?? 0;
        // Done when it was said to be; never twice; not at all when it cannot have been sent.
        if (result.ok) expect(done).toBe(1);
        else if (result.error === 'CONNECTIONLOSS') expect(done).toBeLessThanOrEqual(1);
        else expect([done, result.error]).toEqual([0, expect.stringMatching(NOT_SENT)]);
      }
      // It heals by itself.
      expect(world.session.isAliveAt(world.nowMs)).toBe(true);
      expect(world.log.findLast((entry) => entry.kind === 'state')).toMatchObject({
        state: 'connected',
      });
    }),
    { numRuns: 300 },
  );
});

test('a watch sees what changed, across servers, as long as the session lasts', () => {
  fc.assert(
    fc.property(scenario, ({ seed, faults, changes }) => {
      const world = new SessionWorld(seed);
      world.start();
      let asked = 0;
      let seen = 0;
      let read = 0;
      const ask = (): void =>
        world.request(++asked, { kind: 'exists', path: '/watched', watch: true });
      world.check = () => {
        // As a user does: read and watch again after each event, each failure and each new session.
        for (; read < world.log.length; read++) {
          const entry = world.log[read];
          if (entry?.kind === 'event') ask();
          if (entry?.kind === 'state' && entry.state === 'expired') ask();
          if (entry?.kind === 'answer' && entry.id === asked) {
            if (entry.result.ok) {
              const { value } = entry.result;
              seen = value !== null && 'version' in value ? value.version + 1 : seen;
            } else if (entry.result.error !== 'NONODE') ask();
          }
        }
      };
      ask();
      for (const [atMs, act] of faults) {
        world.at(atMs, () => {
          if (act.kind === 'break') world.breakConnection();
          else if (act.kind === 'swallow') world.swallow();
          else world.freeze(act.kind === 'freezeClient' ? 'client' : world.host(), act.forMs);
        });
      }
      for (const [atMs] of changes) world.at(atMs, () => world.set('/watched'));
      world.runUntil(FAULTS_END_MS + QUIET_MS);
      expect(seen).toBe(changes.length);
    }),
    { numRuns: 200 },
  );
});
