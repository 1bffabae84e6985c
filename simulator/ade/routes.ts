import { ServerResponse } from 'node:http';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { World } from '../world.ts';
import { account, session } from './account.ts';
import { serve, type Endpoint } from './call.ts';
import { details, disown } from './devices.ts';
import { fetchDevices, syncDevices } from './pages.ts';
import { assignProfile, defineProfile, getProfile, removeProfile } from './profiles.ts';

const table: Record<string, Partial<Record<string, Endpoint>>> = {
  '/session': { GET: session },
  '/account': { GET: account },
  '/server/devices': { POST: fetchDevices },
  '/devices/sync': { POST: syncDevices },
  '/devices': { POST: details },
  '/devices/disown': { POST: disown },
  '/profile': { POST: defineProfile, GET: getProfile },
  '/profile/devices': { POST: assignProfile, PUT: assignProfile, DELETE: removeProfile },
};

/** Apple's device assignment service, at the paths that it has at Apple. */
export function adeRoutes(world: World) {
  const app = new Hono<{ Bindings: HttpBindings }>();
  for (const [path, methods] of Object.entries(table)) {
    app.all(path, async (c) => {
      const endpoint = methods[c.req.method];
      if (endpoint === undefined) return c.text('METHOD_NOT_ALLOWED', 405);
      const wire = (c.env as Partial<HttpBindings> | undefined)?.outgoing;
      return serve(world, endpoint, c.req.raw, wire instanceof ServerResponse ? wire : undefined);
    });
  }
  return app;
}
