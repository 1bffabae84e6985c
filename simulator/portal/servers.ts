import { Hono, type Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { families } from '../fleet/catalog.ts';
import { UNASSIGNED } from '../fleet/state.ts';
import { assign } from '../moves.ts';
import {
  CertificateRefused,
  readCertificate,
  type ServerCertificate,
} from '../token/certificate.ts';
import { packageOptions, packageToken } from '../token/server-token.ts';
import type { World } from '../world.ts';
import { describeServer, getOrganization, getServer } from './lookup.ts';

/**
 * "Device management services" of the portal.
 *
 * | call | what it does |
 * | --- | --- |
 * | `GET /servers`, `GET /servers/:uuid` | the entries, with counts and when each token expires |
 * | `POST /servers` | JSON `{name, certificate, organization?, assignAll?, defaultFor?}`, a form with the file `certificate`, or the PEM alone with `?name=` → 201 |
 * | `PATCH /servers/:uuid` | `{name?, allowRelease?}` |
 * | `PUT /servers/:uuid/certificate` | another PEM (body, JSON or form) |
 * | `POST /servers/:uuid/token` | downloads a token, which kills the one before; options for tests in JSON |
 * | `DELETE /servers/:uuid` | 409 while devices are assigned to it |
 */
export function serverRoutes(world: World) {
  return new Hono()
    .get('/servers', (c) => c.json({ items: [...world.servers.values()].map(describeServer) }))
    .get('/servers/:uuid', (c) => c.json(describeServer(getServer(world, c.req.param('uuid')))))
    .post('/servers', async (c) => {
      const asked = newServer.parse(await readUpload(c));
      const organization = getOrganization(world, asked.organization);
      const server = world.addServer(organization, asked.name, accept(asked.certificate));
      for (const family of asked.defaultFor) organization.defaults.set(family, server.uuid);
      if (asked.assignAll) {
        const { fleet } = organization;
        assign(world, server, fleet.on(UNASSIGNED, 0, fleet.size), organization.admin);
      }
      world.onChange();
      return c.json(describeServer(server), 201);
    })
    .patch('/servers/:uuid', async (c) => {
      const server = getServer(world, c.req.param('uuid'));
      const asked = serverChange.parse(await c.req.json());
      if (asked.name !== undefined) server.name = asked.name;
      if (asked.allowRelease !== undefined) server.allowRelease = asked.allowRelease;
      world.onChange();
      return c.json(describeServer(server));
    })
    .put('/servers/:uuid/certificate', async (c) => {
      const server = getServer(world, c.req.param('uuid'));
      const upload = z.object({ certificate: z.string() }).parse(await readUpload(c));
      server.certificate = accept(upload.certificate);
      world.onChange();
      return c.json(describeServer(server));
    })
    .post('/servers/:uuid/token', async (c) => {
      const server = getServer(world, c.req.param('uuid'));
      const text = isJson(c) ? await c.req.text() : '';
      const asked = download.parse(text === '' ? {} : JSON.parse(text));
      const admin = asked.admin ?? server.organization.admin;
      const expiresAt =
        asked.expiresAt === undefined ? undefined : Math.floor(Date.parse(asked.expiresAt) / 1000);
      const token = world.downloadToken(server, admin, expiresAt);
      const file = packageToken(token, server.certificate, asked.package);
      const stamp = new Date(world.clock.ms()).toISOString().slice(0, 19).replaceAll(':', '-');
      const name = server.name.replaceAll(/[^A-Za-z0-9._-]+/g, '_');
      return c.body(Uint8Array.from(file), 200, {
        'content-type': 'application/pkcs7-mime',
        'content-disposition': `attachment; filename="${name}_Token_${stamp}Z_smime.p7m"`,
      });
    })
    .delete('/servers/:uuid', (c) => {
      const server = getServer(world, c.req.param('uuid'));
      if (server.organization.fleet.countOn(server.number) > 0) {
        throw new HTTPException(409, { message: 'Devices are still assigned to this server.' });
      }
      world.removeServer(server);
      return c.body(null, 204);
    });
}

const formFlag = z
  .union([z.boolean(), z.enum(['', 'on', 'true', 'false'])])
  .transform((value) => value === true || value === 'on' || value === 'true');

const newServer = z.strictObject({
  name: z.string().trim().min(1).max(100),
  certificate: z.string(),
  organization: z.string().optional(),
  /** Takes every unassigned device of the organization. */
  assignAll: formFlag.default(false),
  /** `all`, or families: where devices go that are bought from now on. */
  defaultFor: z
    .union([z.literal('all').transform(() => families), z.array(z.enum(families))])
    .default([]),
});

const serverChange = z.strictObject({
  name: z.string().trim().min(1).max(100).optional(),
  allowRelease: z.boolean().optional(),
});

const download = z.strictObject({
  admin: z.email().optional(),
  expiresAt: z.iso.datetime().optional(),
  package: packageOptions.prefault({}),
});

function accept(pem: string): ServerCertificate {
  try {
    return readCertificate(pem);
  } catch (error) {
    if (!(error instanceof CertificateRefused)) throw error;
    throw new HTTPException(400, { message: error.message });
  }
}

function isJson(c: Context): boolean {
  return (c.req.header('content-type') ?? '').startsWith('application/json');
}

/** JSON, a form with a file, or the PEM itself with its name in the query. */
async function readUpload(c: Context): Promise<unknown> {
  if (isJson(c)) return c.req.json();
  if ((c.req.header('content-type') ?? '').startsWith('multipart/form-data')) {
    const form = await c.req.parseBody();
    const { certificate } = form;
    return {
      ...form,
      certificate: certificate instanceof File ? await certificate.text() : certificate,
    };
  }
  return { ...c.req.query(), certificate: await c.req.text() };
}
