export * from './scheduler.ts';
export * from './scheduler-connection.ts';
export * from './scheduler-events.ts';
export { systemClock, systemRandom } from './shell/system-ports.ts';
export type { Listener } from './shell/delivery.ts';
export type { Phase, StopReason } from './core/subscription.ts';
export * from './operator.ts';
export * from './operator-events.ts';
