export { simulate, type SimulationOptions, type SimulationResult } from './simulation.ts';
