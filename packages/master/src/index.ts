export {
  masterConfigSchema,
  type MasterConfig,
  type ResolvedMasterConfig,
} from './shell/config.ts';
export { startMaster, type MasterDeps, type RunningMaster } from './shell/start-master.ts';
