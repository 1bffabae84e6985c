import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';

/**
 * Where a body is optional, one of no bytes is none: many clients say `application/json` on every
 * request, also when they have nothing to say.
 */
export const emptyBodyIsNone: MiddlewareHandler<ApiEnv> = async function emptyBodyIsNone(c, next) {
  const isJson = (c.req.header('content-type') ?? '').includes('json');
  if (isJson && (await c.req.arrayBuffer()).byteLength === 0)
    Object.assign(c.req.bodyCache, { text: Promise.resolve('{}') });
  await next();
};
