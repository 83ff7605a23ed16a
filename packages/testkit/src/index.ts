export * from './box-process.ts';
export * from './docker-registry.ts';
export * from './facility.ts';
export * from './recordings.ts';
export * from './temporary-directory.ts';
export * from './tls-fixture.ts';
export * from './wait-for.ts';
export * from './zookeeper-ensemble.ts';
