/** What agents do, as commands of random histories. For tests only. */

import fc from 'fast-check';
import { parseResources, Resources } from '@dcos/resources';
import type { AgentInfo, Resource } from '@dcos/wire';
import { anyAgent, anyFramework, anyRole, command, has, TASK, type Command } from './model.ts';

const capabilities = fc.constantFrom(
  ...Array.from({ length: 4 }, () => new Set(['MULTI_ROLE', 'HIERARCHICAL_ROLE'])),
  new Set(['MULTI_ROLE']),
  new Set<string>(),
);

const SHARED_VOLUME: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 200 },
  reservations: [{ type: 'STATIC', role: 'web' }],
  disk: { persistence: { id: 'given' }, volume: { mode: 'RW', container_path: 'data' } },
  shared: {},
};
const REVOCABLE: Resource = {
  name: 'cpus',
  type: 'SCALAR',
  scalar: { value: 3 },
  revocable: {},
};
const RAW_DISK: Resource = {
  name: 'disk',
  type: 'SCALAR',
  scalar: { value: 5 },
  disk: { source: { type: 'RAW', profile: 'fast' } },
};

const total = fc
  .tuple(
    fc.constantFrom(
      'cpus:2;mem:1024',
      'cpus:1;mem:512;ports:[31000-31010]',
      'cpus:4;mem:64;gpus:1;disk:30',
      'cpus:4;mem:64;disk:30',
    ),
    fc.constantFrom('', ';cpus(web):1;mem(web):64', ';mem(web/front):128', ';disk(batch):10'),
    fc.constantFrom<readonly Resource[]>([], [REVOCABLE], [RAW_DISK, RAW_DISK], [SHARED_VOLUME]),
  )
  .map(([plain, reserved, more]) => {
    const parsed = parseResources(plain + reserved);
    if (!parsed.ok) throw new Error(parsed.error);
    return Resources.fromWire([...parsed.value, ...more]);
  });

/** Everything about an agent that is not its total. */
function info(hostname: string, text: string, region: string | null): AgentInfo {
  return {
    hostname,
    attributes: [{ name: 'rack', type: 'TEXT', text: { value: text } }],
    ...(region !== null && {
      domain: { fault_domain: { region: { name: region }, zone: { name: 'z' } } },
    }),
  };
}
const rack = fc.constantFrom('r1', 'r2');
const region = fc.constantFrom(null, null, 'here', 'there');

export function agentCommands(): fc.Arbitrary<Command>[] {
  return [
    fc
      .tuple(
        anyAgent,
        total,
        capabilities,
        rack,
        region,
        fc.option(fc.tuple(anyFramework, anyRole)),
      )
      .map(([id, resources, names, text, place, task]) =>
        command(
          `add ${id} ${fc.stringify({ total: resources.summary(), names, text, place, task })}`,
          (model) => !has(id)(model),
          (model, allocator) => {
            const details = {
              info: info(id, text, place),
              total: resources,
              capabilities: names,
              active: true,
            };
            const used = new Map(task === null ? [] : [[task[0], TASK.allocate(task[1])] as const]);
            allocator.addAgent(id, details, used);
            model.specification.addAgent(id, details, used);
          },
        ),
      ),
    fc
      .tuple(anyAgent, total, fc.option(fc.tuple(capabilities, rack, region)))
      .map(([id, resources, changed]) =>
        command(
          `update ${id} ${fc.stringify({ total: resources.summary(), changed })}`,
          has(id),
          (model, allocator) => {
            const description =
              changed === null
                ? undefined
                : { capabilities: changed[0], info: info(id, changed[1], changed[2]) };
            allocator.updateAgent(id, resources, description);
            model.specification.updateAgent(id, resources, description);
          },
        ),
      ),
    anyAgent.map((id) =>
      command(`remove ${id}`, has(id), (model, allocator) => {
        allocator.removeAgent(id);
        model.specification.removeAgent(id);
      }),
    ),
    fc.tuple(anyAgent, fc.boolean()).map(([id, active]) =>
      command(`${active ? 'activate' : 'deactivate'} ${id}`, has(id), (model, allocator) => {
        if (active) allocator.activateAgent(id);
        else allocator.deactivateAgent(id);
        model.specification.setAgentActive(id, { active });
      }),
    ),
  ];
}
