import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { ApiEnv } from '../deps.ts';
import { clientAddress } from '../client-address.ts';

export interface FinishedRequest {
  method: string;
  /** The pattern, not the path: `/api/v1/devices/:serial`. */
  route: string;
  status: number;
  seconds: number;
}

/** One line a request. Of the URL only the path: a query may hold what somebody should not have sent. */
export function accessLog(observe: (request: FinishedRequest) => void): MiddlewareHandler<ApiEnv> {
  return async function accessLog(c, next) {
    const started = performance.now();
    await next();
    const milliseconds = performance.now() - started;
    const { status } = c.res;
    const { method } = c.req;
    const route = routeOf(c);
    observe({ method, route, status, seconds: milliseconds / 1000 });

    const line = {
      method,
      path: c.req.path.slice(0, 300),
      route,
      status,
      milliseconds: Math.round(milliseconds * 10) / 10,
      apiKeyId: (c.get('apiKey') as { id: string } | undefined)?.id ?? null,
      address: clientAddress(c),
    };
    // Probes and scrapes come every few seconds and say nothing.
    const quiet = route === '/healthz' || route === '/readyz' || route === '/metrics';
    if (quiet && status < 400) c.get('logger').debug(line, 'request');
    else c.get('logger').info(line, 'request');
  };
}

function routeOf(c: Context<ApiEnv>): string {
  const path = routePath(c, -1);
  return path === '' || path.includes('*') ? 'unmatched' : path;
}
