export { createMaster, type Master, type MasterDependencies } from './master.ts';
export * from './effects.ts';
export { defaultMasterOptions, type MasterOptions } from './options.ts';
export { REGISTRY_PREFIX } from './registry.ts';
export type { AgentSnapshot, FrameworkSnapshot, MasterSnapshot, TaskSnapshot } from './snapshot.ts';
export { AGENT_PROTOCOL } from './agent-registration.ts';
export { isTerminal, stateFor } from './task-state.ts';
