/**
 * All checkers that hold after every step. Those of a part are run when something happened to that part: a
 * step touches one of many.
 */

import {
  checkHosts,
  createAcknowledgementChecker,
  createAgentStateChecker,
  createContainerChecker,
  createGraceChecker,
  createRegistryChecker,
  type Verdict,
} from './checkers.ts';
import {
  checkFrameworks,
  checkOperatorCopy,
  createOperationChecker,
  createUpdateChecker,
} from './client-checkers.ts';
import { CPUS_PER_AGENT, type Inhabitants } from './cluster.ts';
import { createGroupChecker, createRefusalChecker } from './group-checkers.ts';
import { checkIncidents } from './incident-checkers.ts';
import { createOperationRecordChecker, createReservationChecker } from './operation-checkers.ts';
import { checkPolicies, checkPromises, createQuotaChecker } from './policy-checkers.ts';
import { createResourcesChecker } from './resource-checkers.ts';
import type { SimulatedAgent } from './simulated-agent.ts';
import type { MasterView } from './simulated-master.ts';
import type { SimulatedOperator } from './simulated-operator.ts';
import type { World } from './world.ts';

/** Gives a function that finds the first violation since it was called last. */
export function createChecker(
  world: World,
  { master, agents, frameworks, operators, console }: Inhabitants,
): () => Verdict {
  const updates = frameworks.flatMap((framework) => [
    createUpdateChecker(framework),
    createOperationChecker(framework),
    createRefusalChecker(framework),
  ]);
  const checkMaster = createMasterChecker(master);
  const checkQuota = createQuotaChecker();
  const checkRegistry = createRegistryChecker(agents, master.registry(), console.takenDown);
  const hosts = agents.map((agent) => createHostChecker(world, agent, { frameworks, console }));
  let masterChanges = -1;
  let agentChanges = -1;
  const copies = operators.map((operator) => createCopyChecker(master, operator));
  return () => {
    const mastersNow = master.changes;
    const agentsNow = agents.reduce((sum, agent) => sum + agent.changes, 0);
    const isMasterNew = mastersNow !== masterChanges;
    const areAgentsNew = agentsNow !== agentChanges;
    masterChanges = mastersNow;
    agentChanges = agentsNow;
    let verdict: Verdict;
    const state = master.core()?.state;
    if (isMasterNew) verdict ??= checkMaster() ?? (state && checkQuota(state));
    if (isMasterNew || areAgentsNew) verdict ??= state && checkPolicies(state, agents);
    if (areAgentsNew) verdict ??= checkHosts(agents, CPUS_PER_AGENT);
    if (isMasterNew) verdict ??= checkIncidents(master.registry(), state);
    if (isMasterNew) verdict ??= checkPromises(console, master.registry(), master.core()?.state);
    if (isMasterNew || areAgentsNew) verdict ??= checkRegistry();
    for (const check of copies) verdict ??= check();
    for (const check of hosts) verdict ??= check();
    for (const check of updates) verdict ??= check();
    return verdict ?? checkFrameworks(frameworks);
  };
}

function createMasterChecker(master: MasterView): () => Verdict {
  const checkResources = createResourcesChecker();
  return () => {
    const state = master.core()?.state;
    const books = master.books();
    return state === undefined || books === undefined ? undefined : checkResources(state, books);
  };
}

/** Compares an operator's copy when either side has changed. */
function createCopyChecker(master: MasterView, operator: SimulatedOperator): () => Verdict {
  let masterChanges = -1;
  let operatorChanges = -1;
  return () => {
    if (master.changes === masterChanges && operator.changes === operatorChanges) return undefined;
    masterChanges = master.changes;
    operatorChanges = operator.changes;
    const copy = operator.copy();
    const state = copy && master.stateAsTold(copy.link);
    return copy === undefined || state === undefined ? undefined : checkOperatorCopy(copy, state);
  };
}

/** The checkers of one host. */
function createHostChecker(
  world: World,
  agent: SimulatedAgent,
  { frameworks, console: { everTakenDown } }: Pick<Inhabitants, 'frameworks' | 'console'>,
): () => Verdict {
  const checkContainers = createContainerChecker(agent);
  const checkStates = createAgentStateChecker();
  const checkAcknowledgements = createAcknowledgementChecker(frameworks, everTakenDown);
  const checkGrace = createGraceChecker(agent);
  const checkGroups = createGroupChecker(frameworks);
  const checkReservations = createReservationChecker(agent);
  const checkOperations = createOperationRecordChecker(frameworks);
  let changes = -1;
  return () => {
    const core = agent.core();
    if (core === undefined || agent.changes === changes) return undefined;
    changes = agent.changes;
    const snapshot = core.snapshot();
    return (
      checkContainers(snapshot, world.now()) ??
      checkStates(core, snapshot) ??
      checkAcknowledgements(core, snapshot) ??
      checkGrace(core, snapshot, world.now()) ??
      checkGroups(snapshot) ??
      checkReservations(snapshot) ??
      checkOperations(core, snapshot)
    );
  };
}
