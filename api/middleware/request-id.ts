import { randomUUID } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { ApiEnv } from '../deps.ts';

const sane = /^[A-Za-z0-9._-]{8,64}$/;

/** Names the request: the caller's `X-Request-Id` if it is a sane one, else a new one. */
export function requestId(logger: Logger): MiddlewareHandler<ApiEnv> {
  return async function requestId(c, next) {
    const given = c.req.header('x-request-id');
    const id = given !== undefined && sane.test(given) ? given : randomUUID();
    c.set('requestId', id);
    c.set('logger', logger.child({ requestId: id }));
    await next();
    c.header('x-request-id', id);
  };
}
