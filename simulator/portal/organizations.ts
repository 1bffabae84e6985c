import { Hono } from 'hono';
import { z } from 'zod';
import { families } from '../fleet/catalog.ts';
import type { World } from '../world.ts';
import { describeOrganization, getOrganization, getServer } from './lookup.ts';

/**
 * Settings of an organization; `organization` is its id or name, left out the first one.
 *
 * | call | what it does |
 * | --- | --- |
 * | `GET /organizations` | with counts, terms and default servers |
 * | `PUT /defaults` | `{iPhone?: uuid or null, iPad?, Mac?, AppleTV?, Vision?, organization?}` |
 * | `PUT /terms` | `{accepted, organization?}`: while not accepted Apple answers T_C_NOT_SIGNED |
 */
export function organizationRoutes(world: World) {
  return new Hono()
    .get('/organizations', (c) =>
      c.json({ items: world.organizations.map((each) => describeOrganization(each)) }),
    )
    .put('/defaults', async (c) => {
      const asked = defaults.parse(await c.req.json());
      const organization = getOrganization(world, asked.organization);
      for (const family of families) {
        const uuid = asked[family];
        if (uuid === null) organization.defaults.delete(family);
        else if (uuid !== undefined) {
          organization.defaults.set(family, getServer(world, uuid).uuid);
        }
      }
      world.onChange();
      return c.json(describeOrganization(organization));
    })
    .put('/terms', async (c) => {
      const asked = terms.parse(await c.req.json());
      const organization = getOrganization(world, asked.organization);
      organization.termsAccepted = asked.accepted;
      world.onChange();
      return c.json(describeOrganization(organization));
    });
}

const server = z.string().nullable().optional();
const defaults = z.strictObject({
  iPhone: server,
  iPad: server,
  Mac: server,
  AppleTV: server,
  Vision: server,
  organization: z.string().optional(),
});
const terms = z.strictObject({ accepted: z.boolean(), organization: z.string().optional() });
