import { serve, type ServerType } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { ZodError } from 'zod';
import { adeRoutes } from './ade/routes.ts';
import { controlRoutes } from './control/routes.ts';
import { simulatorOptions, type SimulatorInput } from './options.ts';
import { deviceRoutes } from './portal/devices.ts';
import { organizationRoutes } from './portal/organizations.ts';
import { portalPage } from './portal/page.ts';
import { serverRoutes } from './portal/servers.ts';
import { StateFile } from './state-file.ts';
import { warmUp } from './warm-up.ts';
import { World } from './world.ts';

/**
 * Apple's side of the wire: the device assignment service at its own paths, the portal under
 * `/portal/api` with a page at `/`, and the test's side door under `/control`.
 */
export interface Simulator {
  readonly world: World;
  fetch: (request: Request) => Promise<Response>;
  /** Port 0 takes a free one. */
  listen: (at?: { port?: number; host?: string }) => Promise<{ url: string; port: number }>;
  /** Saves the state, if there is a file for it, and stops listening. */
  close: () => Promise<void>;
}

/** `wall` stands for the clock of the machine. Throws `ZodError` for options that cannot be. */
export function createSimulator(input: SimulatorInput = {}, wall?: () => number): Simulator {
  const options = simulatorOptions.parse(input);
  const world = new World(options, wall);
  const file = options.stateFile === undefined ? null : new StateFile(world, options.stateFile);
  file?.load();

  const app = new Hono()
    .get('/', (c) => c.html(portalPage(world)))
    .get('/healthz', (c) => c.json({ status: 'ok' }))
    .route('/portal/api', serverRoutes(world))
    .route('/portal/api', deviceRoutes(world))
    .route('/portal/api', organizationRoutes(world))
    .route('/control', controlRoutes(world))
    .route('/', adeRoutes(world))
    .onError((error, c) => {
      if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
      if (error instanceof ZodError) {
        const [issue] = error.issues;
        const where = issue?.path.join('.') ?? '';
        return c.json({ error: `${where}: ${issue?.message ?? 'not legal'}` }, 400);
      }
      if (error instanceof SyntaxError) return c.json({ error: 'The body is not JSON.' }, 400);
      throw error;
    });

  let listener: ServerType | null = null;
  let stopWarming: () => void = () => undefined;
  return {
    world,
    fetch: async (request) => app.fetch(request),
    listen: ({ port = 0, host = '127.0.0.1' } = {}) =>
      new Promise((resolve, reject) => {
        const started = serve({ fetch: app.fetch, port, hostname: host }, (address) => {
          stopWarming = warmUp(world);
          const shown = host.includes(':') ? `[${host}]` : host;
          resolve({ url: `http://${shown}:${address.port}`, port: address.port });
        });
        started.once('error', reject);
        listener = started;
      }),
    async close() {
      stopWarming();
      await file?.close();
      const open = listener;
      listener = null;
      if (open === null) return;
      await new Promise<void>((resolve) => {
        open.close(() => {
          resolve();
        });
        // Clients keep their connections for a next call that will not come.
        if ('closeAllConnections' in open) open.closeAllConnections();
      });
    },
  };
}
