import type { ErrorCode } from '../../domain/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { problem } from '../errors.ts';
import { newRouter } from './router.ts';

const patienceMs = 3000;

/** For whoever keeps the process running and sends it traffic. */
export function healthRoutes({ pingDatabase, sync }: ApiDeps) {
  const app = newRouter();
  app.get('/healthz', (c) => c.json({ status: 'up' }));
  app.get('/readyz', async (c) => {
    const [database, temporal] = await Promise.all([
      answersInTime(pingDatabase),
      answersInTime(() => sync.ping()),
    ]);
    const checks = { database: database ? 'up' : 'down', temporal: temporal ? 'up' : 'down' };
    if (database && temporal) return c.json({ status: 'ready', checks });

    const code: ErrorCode = database ? 'temporal_unavailable' : 'database_unavailable';
    const down = Object.entries(checks)
      .filter(([, state]) => state === 'down')
      .map(([name]) => name);
    return problem(
      c,
      { code, detail: `Not ready: ${down.join(' and ')} cannot be reached.` },
      { members: { checks } },
    );
  });
  return app;
}

async function answersInTime(ping: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, patienceMs);
  });
  const answered = ping().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, tooLate]).finally(() => {
    clearTimeout(timer);
  });
}
