import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';

const everywhere = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

/** Nothing of ours is to be framed, sniffed, cached by a proxy, or run, unless a page says otherwise. */
export const securityHeaders: MiddlewareHandler<ApiEnv> = async function securityHeaders(c, next) {
  await next();
  const { headers } = c.res;
  for (const [name, value] of Object.entries(everywhere)) headers.set(name, value);
  if (!headers.has('content-security-policy'))
    headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
};
