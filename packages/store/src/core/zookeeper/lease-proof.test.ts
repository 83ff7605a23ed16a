import { expect, test } from 'vitest';
import { LeaseProof } from './lease-proof.ts';

const TIMEOUT_MS = 10_000;
const LEASE_MS = 9_000;

/** Questions at these times, each answered 10 ms later. */
function ask(proof: LeaseProof, timesMs: readonly number[], isAgreed = true): void {
  for (const askedMs of timesMs)
    proof.answered({ askedMs, answeredMs: askedMs + 10, isAgreed }, TIMEOUT_MS);
}

const endsMs = (proof: LeaseProof): number => proof.endsMs(TIMEOUT_MS);

test('neither a connection nor an answer of a single server proves anything', () => {
  const proof = new LeaseProof();
  proof.connected(100);
  expect(endsMs(proof)).toBe(-Infinity);
  ask(proof, [200, 5_000, 9_000], false);
  expect(endsMs(proof)).toBe(-Infinity);
});

test('an agreed answer proves what the connection began with', () => {
  const proof = new LeaseProof();
  proof.connected(100);
  ask(proof, [200]);
  expect(endsMs(proof)).toBe(100 + LEASE_MS);
});

test('a question is proven by two behind it, the first after the leading server has pinged', () => {
  const proof = new LeaseProof();
  proof.connected(0);
  ask(proof, [1_000, 4_000, 4_100]);
  expect(endsMs(proof)).toBe(LEASE_MS);
  ask(proof, [4_200]);
  expect(endsMs(proof)).toBe(1_000 + LEASE_MS);
});

test('answers of single servers count once a majority agreed on a later one', () => {
  const proof = new LeaseProof();
  proof.connected(0);
  ask(proof, [1_000, 4_100, 4_200], false);
  expect(endsMs(proof)).toBe(-Infinity);
  ask(proof, [4_300]);
  expect(endsMs(proof)).toBe(1_000 + LEASE_MS);
});

test('who asks all the time is always proven until well after the next answer', () => {
  const proof = new LeaseProof();
  proof.connected(0);
  for (let nowMs = 0; nowMs < 100_000; nowMs += 500) {
    ask(proof, [nowMs]);
    expect(endsMs(proof) - nowMs).toBeGreaterThan(0.4 * TIMEOUT_MS);
  }
});

test('what was asked on a connection that broke is not taken over, what was proven is kept', () => {
  const proof = new LeaseProof();
  proof.connected(0);
  ask(proof, [100, 1_000, 4_100]);
  proof.connected(4_500);
  expect(endsMs(proof)).toBe(LEASE_MS);
  ask(proof, [4_600, 4_700]);
  expect(endsMs(proof)).toBe(4_500 + LEASE_MS);
});

test('where the tick of the servers is known, a question is proven sooner', () => {
  const proof = new LeaseProof(1_000);
  proof.connected(0);
  ask(proof, [500, 1_400, 1_500]);
  expect(endsMs(proof)).toBe(LEASE_MS);
  ask(proof, [1_600, 1_700]);
  expect(endsMs(proof)).toBe(500 + LEASE_MS);
});
