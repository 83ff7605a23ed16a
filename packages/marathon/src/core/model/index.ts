export * from './app-definition.ts';
export * from './timestamp.ts';
