/** The scheduler's core: pure, driven by events, answering with effects. For the shell and for simulations. */

export * from './model/index.ts';
export * from './scheduling/index.ts';
