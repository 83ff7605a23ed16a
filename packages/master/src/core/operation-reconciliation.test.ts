import { describe, expect, test } from 'vitest';
import type { OperationStatus } from '@dcos/wire';
import { operate, reconciled, RESERVE, scene, type Scene } from '../testing/operations-scene.ts';

describe('reconciliation', () => {
  const cases: readonly {
    readonly what: string;
    readonly question: (set: Scene) => { id: string; agent?: string };
    readonly answer: Partial<OperationStatus>;
  }[] = [
    {
      what: 'a known operation',
      question: ({ agent }) => ({ id: 'op', agent: agent.id }),
      answer: { state: 'OPERATION_PENDING', message: 'Reconciliation: Latest operation status' },
    },
    {
      what: 'an unknown operation of a registered agent',
      question: ({ agent }) => ({ id: 'x', agent: agent.id }),
      answer: { state: 'OPERATION_UNKNOWN', message: 'Reconciliation: Operation is unknown' },
    },
    {
      what: 'an unknown operation without agent',
      question: () => ({ id: 'x' }),
      answer: {
        state: 'OPERATION_UNKNOWN',
        message: "Reconciliation: Operation is unknown and no 'agent_id' was provided",
      },
    },
    {
      what: 'an operation on an agent that nobody knows',
      question: () => ({ id: 'x', agent: 'nope' }),
      answer: { state: 'OPERATION_UNKNOWN' },
    },
  ];
  test.each(cases)('$what', ({ question, answer }) => {
    const set = scene();
    operate(set, [{ ...RESERVE, id: { value: 'op' } }]);
    const { id, agent } = question(set);
    const status = reconciled(set.world, set.framework, id, agent);
    expect(status).toMatchObject({ operation_id: { value: id }, ...answer });
    expect(status?.uuid).toBeUndefined();
  });
});
