export * from './given-flags.ts';
export * from './host-load.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './run-program.ts';
export * from './setting-files.ts';
