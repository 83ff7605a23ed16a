export * from './browser-guard.ts';
export * from './http-server.ts';
export * from './libprocess-tls.ts';
export * from './not-taken.ts';
export * from './out-stream.ts';
export * from './tls.ts';
export type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
export * from './watch-tls.ts';
