export { startBox, type Box, type BoxDependencies } from './box.ts';
export { openDataDirectory, LAYOUT_VERSION, type DataDirectory } from './data-directory.ts';
export { parseFlags, HELP, type BoxFlags } from './flags.ts';
export { planAgents, type AgentPlan, type Machine } from './topology.ts';
