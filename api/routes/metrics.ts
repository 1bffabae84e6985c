import type { Registry } from 'prom-client';
import type { ApiDeps } from '../deps.ts';
import { appleCallMetrics } from '../metrics/apple-calls.ts';
import { renderFamilies } from '../metrics/exposition.ts';
import { fleetMetrics } from '../metrics/fleet.ts';
import { newRouter } from './router.ts';

/** Counting half a million devices is cheap, but not once for every scraper. */
const reuseMs = 5000;

/** For Prometheus. While the database is away it still tells what this process knows, and that. */
export function metricsRoutes(deps: ApiDeps, registry: Registry) {
  let shared: { at: number; text: Promise<string> } | null = null;

  const readShared = () => {
    const at = performance.now();
    if (shared === null || at - shared.at > reuseMs)
      shared = { at, text: facts(deps).then(renderFamilies) };
    return shared.text;
  };

  const app = newRouter();
  app.get('/metrics', async (c) => {
    const [own, known] = await Promise.allSettled([registry.metrics(), readShared()]);
    if (own.status === 'rejected') throw own.reason;
    if (known.status === 'rejected') shared = null;
    const databaseUp = renderFamilies([
      {
        name: 'abm_database_up',
        help: '1 when the facts below could be read',
        type: 'gauge',
        samples: [{ labels: {}, value: known.status === 'fulfilled' ? 1 : 0 }],
      },
    ]);
    const text = [own.value, databaseUp, known.status === 'fulfilled' ? known.value : ''];
    return c.body(text.join('\n'), 200, { 'content-type': registry.contentType });
  });
  return app;
}

async function facts(deps: ApiDeps) {
  const [fleet, tallies] = await Promise.all([fleetMetrics(deps), deps.appleCalls.totals()]);
  return [...fleet, ...appleCallMetrics(tallies)];
}
