import { HTTPException } from 'hono/http-exception';
import { isoSeconds } from '../clock.ts';
import type { MdmServer } from '../mdm-server.ts';
import type { Organization } from '../organization.ts';
import type { World } from '../world.ts';

/** Finding what a portal call names, or answering that it is not there. */

export function getServer(world: World, uuid: string): MdmServer {
  const server = world.servers.get(uuid);
  if (server === undefined)
    throw new HTTPException(404, { message: 'There is no such MDM server.' });
  return server;
}

/** By id or name; left out, the first one. */
export function getOrganization(world: World, named: string | undefined): Organization {
  const found = world.organizations.find(
    ({ id, name }) => named === undefined || id === named || name === named,
  );
  if (!found) throw new HTTPException(404, { message: 'There is no such organization.' });
  return found;
}

export interface Reached {
  organization: Organization;
  devices: number[];
}

/** Which devices these serials are, per organization, and which serials nobody knows. */
export function reach(
  world: World,
  serials: readonly string[],
): { found: Reached[]; unknown: string[] } {
  const found = world.organizations.map((organization) => ({
    organization,
    devices: new Array<number>(),
  }));
  const unknown = serials.filter((serial) => {
    for (const { organization, devices } of found) {
      const device = organization.fleet.find(serial.trim().toUpperCase());
      if (device === undefined) continue;
      devices.push(device);
      return false;
    }
    return true;
  });
  return { found: found.filter(({ devices }) => devices.length > 0), unknown };
}

export function describeServer(server: MdmServer) {
  const { organization, token } = server;
  return {
    uuid: server.uuid,
    name: server.name,
    organization: { id: organization.id, name: organization.name },
    devices: organization.fleet.countOn(server.number),
    profiles: server.profiles.size,
    allowRelease: server.allowRelease,
    defaultFor: [...organization.defaults].flatMap(([family, uuid]) =>
      uuid === server.uuid ? [family] : [],
    ),
    token: token && { expiresAt: isoSeconds(token.expiresAt), admin: token.admin },
    lastConnectedAt: server.lastConnectedAt === null ? null : isoSeconds(server.lastConnectedAt),
  };
}

export function describeOrganization(organization: Organization) {
  const { fleet } = organization;
  return {
    id: organization.id,
    name: organization.name,
    admin: organization.admin,
    termsAccepted: organization.termsAccepted,
    devices: fleet.size,
    unassigned: fleet.countOn(0),
    released: fleet.countOn(-1),
    defaults: Object.fromEntries(organization.defaults),
  };
}
