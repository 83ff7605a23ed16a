/** What operators do: weights, quota, whitelist, maintenance, as commands of random histories. For tests only. */

import fc from 'fast-check';
import type { AgentId, FrameworkId } from '@dcos/base';
import type { Unavailability } from '@dcos/wire';
import type { Quantities } from '../types.ts';
import { always, anyAgent, anyRole, command, has, type Command, type Model } from './model.ts';

const AWAY: Unavailability = { start: { nanoseconds: 0 } };

/** The smaller of two amounts is the guarantee, so that it is within the limit. */
const quota = fc
  .uniqueArray(fc.tuple(fc.constantFrom('cpus', 'mem', 'disk'), fc.nat(4), fc.option(fc.nat(4))), {
    maxLength: 2,
    selector: ([name]) => name,
  })
  .map((amounts) => {
    const milli = (name: string, units: number): number =>
      units * (name === 'mem' ? 300_000 : name === 'disk' ? 7000 : 1500);
    const guarantees: Quantities = new Map(
      amounts
        .map(([name, one, two]) => [name, milli(name, Math.min(one, two ?? one))] as const)
        .filter(([, amount]) => amount > 0),
    );
    const limits: Quantities = new Map(
      amounts.flatMap(([name, one, two]) =>
        two === null ? [] : [[name, milli(name, Math.max(one, two))] as const],
      ),
    );
    return { guarantees, limits };
  });

export function operatorCommands(): fc.Arbitrary<Command>[] {
  return [
    fc.tuple(anyRole, fc.constantFrom(0.1, 1, 10)).map(([role, weight]) =>
      command(`weight ${role} ${weight}`, always, (model, allocator) => {
        allocator.updateWeights(new Map([[role, weight]]));
        model.specification.updateWeights(new Map([[role, weight]]));
      }),
    ),
    fc
      .tuple(fc.constantFrom('web', 'batch', 'absent'), fc.option(quota, { nil: undefined }))
      .map(([role, value]) =>
        command(`quota ${role} ${fc.stringify(value)}`, always, (model, allocator) => {
          allocator.updateQuota(role, value);
          model.specification.updateQuota(role, value);
        }),
      ),
    fc.constantFrom(undefined, ['a1'], ['a1', 'a2']).map((hosts) =>
      command(`whitelist ${fc.stringify(hosts)}`, always, (model, allocator) => {
        const listed = hosts === undefined ? undefined : new Set(hosts);
        allocator.updateWhitelist(listed);
        model.specification.updateWhitelist(listed);
      }),
    ),
    fc.constantFrom('pause', 'resume', 'resume').map((what) =>
      command(what, always, (model, allocator) => {
        allocator[what]();
        model.specification[what]();
      }),
    ),
    ...maintenanceCommands(),
  ];
}

function maintenanceCommands(): fc.Arbitrary<Command>[] {
  return [
    fc.tuple(anyAgent, fc.constantFrom(undefined, AWAY, AWAY)).map(([id, unavailability]) =>
      command(
        `unavailability ${id} ${unavailability !== undefined}`,
        has(id),
        (model, allocator) => {
          allocator.updateUnavailability(id, unavailability);
          model.specification.updateUnavailability(id, unavailability);
        },
      ),
    ),
    fc
      .tuple(fc.nat(), fc.constantFrom(undefined, true, false), fc.constantFrom(0, 1, 20_000))
      .map(([pick, willing, refuseMs]) =>
        command(
          `answer to inverse offer ${pick}: ${willing}, ${refuseMs} ms`,
          (model) => outstanding(model).length > 0,
          (model, allocator) => {
            const asked = outstanding(model);
            const [framework, agent] = asked[pick % asked.length] ?? [];
            if (framework === undefined || agent === undefined) return;
            const answer = willing === undefined ? undefined : { willing, instant: model.now };
            allocator.answerInverseOffer(framework, agent, answer, refuseMs, model.now);
            model.specification.answerInverseOffer(framework, agent, answer, refuseMs, model.now);
          },
        ),
      ),
  ];
}

/** Whose answer about which agent is waited for. */
function outstanding({ specification }: Model): readonly (readonly [FrameworkId, AgentId])[] {
  return [...specification.state.agents].flatMap(([agent, { questions }]) =>
    [...questions].flatMap(([framework, question]) =>
      question.outstanding ? [[framework, agent] as const] : [],
    ),
  );
}
