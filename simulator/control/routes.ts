import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { faultCatalog } from '../faults/catalog.ts';
import { faultRequest } from '../faults/faults.ts';
import { renderDevice } from '../fleet/render.ts';
import { getServer } from '../portal/lookup.ts';
import type { MdmServer } from '../mdm-server.ts';
import type { World } from '../world.ts';

/**
 * The test's side door: things that nobody can do at Apple.
 *
 * | call | what it does |
 * | --- | --- |
 * | `GET /faults` | `{active, catalog}` |
 * | `POST /faults` | `{name, endpoints?, server?, count?, skip?, probability?, params?}` → 201 |
 * | `DELETE /faults`, `DELETE /faults/:id` | all off; one off |
 * | `GET /clock`, `POST /clock` | `{advanceSeconds}` or `{now}`: moves simulated time |
 * | `GET /truth?server=` | every device of a server as Apple would list it, one JSON object a line |
 * | `GET /stats`, `DELETE /stats` | calls by endpoint, status and word; assign calls with their sizes |
 * | `POST /sessions/end` | `{server}`: its sessions die |
 */
export function controlRoutes(world: World) {
  return new Hono()
    .get('/faults', (c) => c.json({ active: world.faults.list(), catalog: faultCatalog }))
    .post('/faults', async (c) => {
      const asked = faultRequest.parse(await c.req.json());
      return c.json(world.faults.add(asked), 201);
    })
    .delete('/faults', (c) => {
      world.faults.clear();
      return c.body(null, 204);
    })
    .delete('/faults/:id', (c) => {
      if (!world.faults.remove(Number(c.req.param('id')))) {
        throw new HTTPException(404, { message: 'There is no such fault.' });
      }
      return c.body(null, 204);
    })
    .get('/clock', (c) => c.json({ now: new Date(world.clock.ms()).toISOString() }))
    .post('/clock', async (c) => {
      const asked = clockMove.parse(await c.req.json());
      if ('now' in asked) world.clock.advance((Date.parse(asked.now) - world.clock.ms()) / 1000);
      else world.clock.advance(asked.advanceSeconds);
      world.onChange();
      return c.json({ now: new Date(world.clock.ms()).toISOString() });
    })
    .get('/truth', (c) => {
      const server = getServer(world, c.req.query('server') ?? '');
      return c.body(truth(server), 200, { 'content-type': 'application/x-ndjson' });
    })
    .get('/stats', (c) => {
      const { endpoints, assignCalls, devicesServed, maxConcurrent } = world.statistics;
      return c.json({ endpoints, assignCalls, devicesServed, maxConcurrent });
    })
    .delete('/stats', (c) => {
      world.statistics.reset();
      return c.body(null, 204);
    })
    .post('/sessions/end', async (c) => {
      const { server } = z.strictObject({ server: z.string() }).parse(await c.req.json());
      world.sessions.endAll(getServer(world, server).uuid);
      return c.body(null, 204);
    });
}

const clockMove = z.union([
  z.strictObject({ advanceSeconds: z.number() }),
  z.strictObject({ now: z.iso.datetime() }),
]);

const CHUNK = 1000;

function truth(server: MdmServer): ReadableStream<Uint8Array> {
  const { fleet } = server.organization;
  const encoder = new TextEncoder();
  let from = 0;
  return new ReadableStream({
    pull(controller) {
      const devices = fleet.on(server.number, from, CHUNK);
      const last = devices.at(-1);
      if (last === undefined) {
        controller.close();
        return;
      }
      from = last + 1;
      const lines = devices.map((device) => `${renderDevice(fleet, device, 10)}\n`);
      controller.enqueue(encoder.encode(lines.join('')));
    },
  });
}
