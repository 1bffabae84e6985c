import { Hono, type Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { churn } from '../churn.ts';
import { isoSeconds } from '../clock.ts';
import { orderOf } from '../fleet/facts.ts';
import { describeDevice } from '../fleet/render.ts';
import { RELEASED, UNASSIGNED } from '../fleet/state.ts';
import { activate, assign, buy, label, release } from '../moves.ts';
import { replace, setMigrationDeadline, unassign } from '../moves.ts';
import type { Organization } from '../organization.ts';
import type { World } from '../world.ts';
import { getOrganization, getServer, reach, type Reached } from './lookup.ts';

/**
 * Devices in the portal. Serials come as JSON `{serials: [...]}` or as `text/csv`, one serial a row.
 *
 * | call | what it does |
 * | --- | --- |
 * | `GET /devices?server=&organization=&after=&limit=` | by number; `server` is a uuid or `unassigned` |
 * | `GET /devices/:serial` | one |
 * | `POST /servers/:uuid/devices` | assigns or moves; JSON also `{count}` or `{all: true}` unassigned ones, `by` |
 * | `POST /devices/unassign`, `/devices/release` | off their servers; out of the organization |
 * | `POST /devices/activate` | they start up and fetch their profile: `pushed` |
 * | `POST /devices/label` | `{serials, assetTag}` |
 * | `POST /devices/migration-deadline` | `{serials, deadline}` (null takes it away) |
 * | `POST /devices/buy` | `{count, organization?}`: each to the default server of its family |
 * | `POST /devices/:serial/replace` | exchanged for a new one |
 * | `POST /servers/:uuid/churn` | `{count}` random changes |
 */
export function deviceRoutes(world: World) {
  const act = (doing: (reached: Reached) => void) => async (c: Context) => {
    const { found, unknown } = reach(world, await readSerials(c));
    found.forEach(doing);
    const done = found.reduce((sum, { devices }) => sum + devices.length, 0);
    return c.json({ done, unknown });
  };
  const app = new Hono();
  app
    .get('/devices', (c) => c.json(list(world, listing.parse(c.req.query()))))
    .post(
      '/devices/unassign',
      act(({ organization, devices }) => {
        unassign(world, organization, devices);
      }),
    )
    .post(
      '/devices/release',
      act(({ organization, devices }) => {
        release(world, organization, devices);
      }),
    )
    .post(
      '/devices/activate',
      act(({ organization, devices }) => {
        activate(world, organization, devices);
      }),
    )
    .post('/devices/label', async (c) => {
      const { serials, assetTag } = labelling.parse(await c.req.json());
      const { found, unknown } = reach(world, serials);
      for (const { organization, devices } of found) label(world, organization, devices, assetTag);
      return c.json({ done: serials.length - unknown.length, unknown });
    })
    .post('/devices/migration-deadline', async (c) => {
      const { serials, deadline } = migration.parse(await c.req.json());
      const at = deadline === null ? null : Math.floor(Date.parse(deadline) / 1000);
      const { found, unknown } = reach(world, serials);
      for (const { organization, devices } of found) {
        setMigrationDeadline(world, organization, devices, at);
      }
      return c.json({ done: serials.length - unknown.length, unknown });
    })
    .post('/devices/buy', async (c) => {
      const asked = buying.parse(await c.req.json());
      const organization = getOrganization(world, asked.organization);
      const bought = buy(world, organization, asked.count);
      return c.json({ serials: bought.map((device) => organization.fleet.serial(device)) }, 201);
    })
    .get('/devices/:serial', (c) => {
      const { organization, device } = one(world, c.req.param('serial'));
      return c.json(describe(world, organization, device));
    })
    .post('/devices/:serial/replace', (c) => {
      const { organization, device } = one(world, c.req.param('serial'));
      const successor = replace(world, organization, device);
      if (successor === null) throw new HTTPException(409, { message: 'It was released before.' });
      return c.json(describe(world, organization, successor), 201);
    })
    .post('/servers/:uuid/devices', async (c) => {
      const server = getServer(world, c.req.param('uuid'));
      const { organization } = server;
      const asked = await readAssignment(c);
      const by = asked.by ?? organization.admin;
      if ('serials' in asked) {
        const { found, unknown } = reach(world, asked.serials);
        const ours = found.find((reached) => reached.organization === organization)?.devices ?? [];
        assign(world, server, ours, by);
        const foreign = found.filter((reached) => reached.organization !== organization);
        const others = foreign.flatMap((reached) =>
          reached.devices.map((device) => reached.organization.fleet.serial(device)),
        );
        return c.json({ done: ours.length, unknown: [...unknown, ...others] });
      }
      const most = asked.all === true ? organization.fleet.size : (asked.count ?? 0);
      const free = organization.fleet.on(UNASSIGNED, 0, most);
      assign(world, server, free, by);
      return c.json({ done: free.length, unknown: [] });
    })
    .post('/servers/:uuid/churn', async (c) => {
      const server = getServer(world, c.req.param('uuid'));
      const { count } = churning.parse(await c.req.json());
      churn(world, server, count);
      return c.json({ done: count });
    });
  return app;
}

const serialList = z.array(z.string().min(1)).min(1).max(500_000);
const bySerials = z.strictObject({ serials: serialList, by: z.string().optional() });
const byCount = z.strictObject({
  count: z.int().min(1).max(2_000_000).optional(),
  all: z.boolean().optional(),
  by: z.string().optional(),
});
const labelling = z.strictObject({ serials: serialList, assetTag: z.string().max(200) });
const migration = z.strictObject({ serials: serialList, deadline: z.iso.datetime().nullable() });
const buying = z.strictObject({
  count: z.int().min(1).max(100_000),
  organization: z.string().optional(),
});
const churning = z.strictObject({ count: z.int().min(1).max(100_000) });
const listing = z.object({
  server: z.string().optional(),
  organization: z.string().optional(),
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

function rows(csv: string): string[] {
  return csv
    .replace('\ufeff', '')
    .split(/\r\n|\r|\n/)
    .map((row) =>
      row
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .trim(),
    )
    .filter((row) => row !== '' && !/^serial/i.test(row));
}

async function readAssignment(c: Context) {
  const type = c.req.header('content-type') ?? '';
  if (type.startsWith('application/json')) {
    return z.union([bySerials, byCount]).parse(await c.req.json());
  }
  return bySerials.parse({ serials: await readCsv(c) });
}

async function readSerials(c: Context): Promise<string[]> {
  const type = c.req.header('content-type') ?? '';
  if (type.startsWith('application/json')) return bySerials.parse(await c.req.json()).serials;
  return bySerials.parse({ serials: await readCsv(c) }).serials;
}

/** The text itself, or the file of a form. */
async function readCsv(c: Context): Promise<string[]> {
  if (!(c.req.header('content-type') ?? '').startsWith('multipart/form-data')) {
    return rows(await c.req.text());
  }
  const { file } = await c.req.parseBody();
  return rows(file instanceof File ? await file.text() : '');
}

function one(world: World, serial: string): { organization: Organization; device: number } {
  const [reached] = reach(world, [serial]).found;
  const device = reached?.devices[0];
  if (reached === undefined || device === undefined) {
    throw new HTTPException(404, { message: 'There is no such device.' });
  }
  return { organization: reached.organization, device };
}

function describe(world: World, { fleet }: Organization, device: number) {
  const { server } = fleet.state(device);
  const order = orderOf(fleet.seed, device);
  return {
    ...describeDevice(fleet, device, 10),
    status: server === RELEASED ? 'released' : server === UNASSIGNED ? 'unassigned' : 'assigned',
    server: world.serverByNumber(server)?.uuid ?? null,
    orderNumber: order.number,
    orderedAt: isoSeconds(world.clock.seconds() - order.daysAgo * 86_400).slice(0, 10),
  };
}

function list(world: World, asked: z.infer<typeof listing>) {
  const { server } = asked;
  const entry = server === undefined || server === 'unassigned' ? null : getServer(world, server);
  const organization = entry?.organization ?? getOrganization(world, asked.organization);
  const { fleet } = organization;
  let devices: number[];
  if (server === undefined) {
    const count = Math.max(0, Math.min(asked.limit, fleet.size - asked.after));
    devices = Array.from({ length: count }, (_, n) => asked.after + n);
  } else devices = fleet.on(entry?.number ?? UNASSIGNED, asked.after, asked.limit);
  const last = devices.at(-1);
  return {
    items: devices.map((device) => describe(world, organization, device)),
    nextAfter: devices.length < asked.limit || last === undefined ? null : last + 1,
  };
}
