export * from './browser-guard.ts';
export * from './http-server.ts';
export * from './out-stream.ts';
export type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
