/**
 * What is explored systematically. Each scenario begins where its matter begins, so that a schedule need not
 * be long to reach it.
 */

import type { Cluster } from './cluster.ts';
import type { Fault, Scenario } from './explore.ts';

const MASTER_FAULTS: readonly Fault[] = [
  'the master dies',
  'the master dies, its write made it',
  'the master freezes',
];
const AGENT_FAULTS: readonly Fault[] = [
  'the agent dies',
  'the agent dies, its write made it',
  'the host restarts',
  'the connection of the agent breaks',
];
const FRAMEWORK_FAULTS: readonly Fault[] = ['the stream breaks', 'the framework fails over'];
const ALL_FAULTS: readonly Fault[] = [
  ...MASTER_FAULTS,
  ...AGENT_FAULTS,
  ...FRAMEWORK_FAULTS,
  'the framework kills',
];

const isOffered = ({ master }: Cluster): boolean => (master.core()?.state.offers.size ?? 0) > 0;
const hasReserved = ({ frameworks }: Cluster): boolean =>
  frameworks[0]?.heardOperations.some(({ state }) => state === 'OPERATION_FINISHED') === true;
const isRunning = ({ agents }: Cluster): boolean => agents[0]?.runningTaskIds().length === 1;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'registration',
    faults: ALL_FAULTS,
    faultsMax: 1,
    impatienceMax: 0,
    launchesMax: 1,
  },
  {
    name: 'launch',
    from: isOffered,
    faults: ALL_FAULTS,
    faultsMax: 1,
    impatienceMax: 0,
    launchesMax: 1,
  },
  {
    name: 'end of a task',
    from: isRunning,
    faults: ALL_FAULTS,
    faultsMax: 1,
    impatienceMax: 0,
    launchesMax: 1,
  },
  {
    name: 'two masters fail',
    from: isRunning,
    faults: MASTER_FAULTS,
    faultsMax: 2,
    impatienceMax: 0,
    launchesMax: 2,
  },
  {
    name: 'operations',
    from: hasReserved,
    faults: [...MASTER_FAULTS, ...AGENT_FAULTS, 'the stream breaks'],
    faultsMax: 1,
    impatienceMax: 0,
    launchesMax: 0,
    operates: 'always',
  },
  {
    name: 'gone among faults',
    from: isRunning,
    faults: ['the agent is declared gone', ...MASTER_FAULTS, 'the connection of the agent breaks'],
    faultsMax: 2,
    impatienceMax: 0,
    launchesMax: 1,
  },
  {
    name: 'a kill among faults',
    from: isRunning,
    faults: ['the framework kills', 'the agent dies', 'the connection of the agent breaks'],
    faultsMax: 2,
    impatienceMax: 1,
    launchesMax: 1,
  },
];
