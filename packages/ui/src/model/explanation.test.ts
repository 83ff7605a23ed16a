import { describe, expect, test } from 'vitest';
import type { App, QueueEntry, RejectSummary } from '../api/types.ts';
import { explainPlacement, offerFunnel } from './explanation.ts';

const APP: App = {
  id: '/web',
  instances: 2,
  cpus: 48,
  mem: 262_144,
  constraints: [['hostname', 'UNIQUE']],
  acceptedResourceRoles: ['slave_public'],
};

function row(rejects: readonly RejectSummary[], change: Partial<QueueEntry> = {}): QueueEntry {
  return {
    count: 1,
    delay: { timeLeftSeconds: 0, overdue: true },
    processedOffersSummary: {
      processedOffersCount: 12,
      unusedOffersCount: 12,
      rejectSummaryLastOffers: rejects,
    },
    ...change,
  };
}

describe('why a service is not placed', () => {
  test('names the constraint and the offers that it turned down', () => {
    const placement = explainPlacement(
      row([
        { reason: 'UnfulfilledRole', declined: 0, processed: 12 },
        { reason: 'UnfulfilledConstraint', declined: 12, processed: 12 },
      ]),
      APP,
    );
    expect(placement.reasons.map((reason) => reason.text)).toEqual([
      'hostname UNIQUE turned down 12 of 12 offers',
    ]);
    expect(placement.summary).toBe('hostname UNIQUE turned down 12 of 12 offers.');
    expect(placement.offersProcessed).toBe(12);
  });

  test('the reason that refused most comes first, roles last, with the amount that is wanted', () => {
    const placement = explainPlacement(
      row([
        { reason: 'UnfulfilledRole', declined: 2, processed: 12 },
        { reason: 'InsufficientCpus', declined: 7, processed: 10 },
        { reason: 'InsufficientMemory', declined: 1, processed: 1 },
      ]),
      APP,
    );
    expect(placement.reasons.map((reason) => reason.text)).toEqual([
      'cpus (48 wanted) turned down 7 of 10 offers',
      'mem (256 GiB wanted) turned down 1 of 1 offer',
      'resource role slave_public turned down 2 of 12 offers',
    ]);
  });

  test('roles come last, even when they refused most', () => {
    const placement = explainPlacement(
      row([
        { reason: 'UnfulfilledRole', declined: 2, processed: 3 },
        { reason: 'UnfulfilledConstraint', declined: 1, processed: 1 },
      ]),
      APP,
    );
    expect(placement.reasons[0]?.text).toBe('hostname UNIQUE turned down 1 of 1 offer');
  });

  test("takes the server's own explanation when there is one", () => {
    const placement = explainPlacement(
      row([{ reason: 'UnfulfilledConstraint', declined: 1, processed: 3 }], {
        explanation: {
          summary: 'from the server',
          offersProcessed: 3,
          reasons: [
            { reason: 'UnfulfilledConstraint', what: 'rack LIKE r1', declined: 1, processed: 1 },
            {
              reason: 'InsufficientCpus',
              what: 'cpus: wanted 8, at most 4 offered',
              declined: 2,
              processed: 3,
            },
          ],
        },
      }),
      APP,
    );
    expect(placement.summary).toBe('from the server');
    expect(placement.reasons.map((reason) => reason.text)).toEqual([
      'rack LIKE r1 turned down 1 of 1 offer',
      'cpus turned down 2 of 3 offers (wanted 8, at most 4 offered)',
    ]);
  });

  test('says that no offer has come, rather than nothing', () => {
    expect(explainPlacement(row([]), APP).summary).toBe(
      '1 instance to place; no offer has arrived yet.',
    );
  });

  test('unknown reason codes are shown as they are', () => {
    const placement = explainPlacement(
      row([{ reason: 'SomethingNew', declined: 1, processed: 1 }]),
      APP,
    );
    expect(placement.reasons[0]?.text).toBe('SomethingNew turned down 1 of 1 offer');
  });
});

test('the funnel keeps the matching order and adds up', () => {
  const stages = offerFunnel(
    row([
      { reason: 'InsufficientCpus', declined: 7, processed: 10 },
      { reason: 'UnfulfilledRole', declined: 2, processed: 12 },
    ]),
  );
  expect(stages.map((stage) => [stage.label, stage.matched])).toEqual([
    ['Role', 10],
    ['CPU', 3],
  ]);
});

test('of the stages that say nothing, only the ordinary ones are shown', () => {
  const stages = offerFunnel(
    row([
      { reason: 'AgentMaintenance', declined: 0, processed: 3 },
      { reason: 'NoCorrespondingReservationFound', declined: 1, processed: 3 },
      { reason: 'InsufficientMemory', declined: 0, processed: 2 },
    ]),
  );
  expect(stages.map((stage) => stage.label)).toEqual(['Reservation', 'Memory']);
});
