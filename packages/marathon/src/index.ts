/** The service scheduler: an ordinary framework of the master with the API of Marathon. */

export { marathonConfigSchema, type MarathonConfig } from './shell/config.ts';
export {
  startMarathon,
  type MarathonDependencies,
  type RunningMarathon,
} from './shell/start-marathon.ts';
