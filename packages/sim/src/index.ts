export { simulate, type SimulationOptions, type SimulationResult } from './simulation.ts';
export { mutate, MUTATIONS, type Mutation } from './mutations.ts';
