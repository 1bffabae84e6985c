import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { FinishedRequest } from '../middleware/access-log.ts';

/** What this process knows of itself: requests by route, and the runtime. */
export function createHttpMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'HTTP requests by method, route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
    registers: [registry],
  });
  const known = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
  return {
    registry,
    observe: ({ method, route, status, seconds }: FinishedRequest) => {
      durations.observe({ method: known.has(method) ? method : 'other', route, status }, seconds);
    },
  };
}
