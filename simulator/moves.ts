import type { MdmServer } from './mdm-server.ts';
import type { Organization } from './organization.ts';
import { pristine, RELEASED, UNASSIGNED, withoutServer, type DeviceState } from './fleet/state.ts';
import type { World } from './world.ts';

/** What can be done to devices outside Apple's web service, by the portal or by a device itself. */

function move(
  world: World,
  organization: Organization,
  devices: readonly number[],
  next: (state: DeviceState, now: number) => DeviceState,
): void {
  const now = world.clock.seconds();
  organization.fleet.change(devices, now, (state) => next(state, now));
  world.onChange();
}

/** To this server, from wherever it was. A device that is on it already is assigned once more. */
export function assign(
  world: World,
  server: MdmServer,
  devices: readonly number[],
  by: string,
): void {
  move(world, server.organization, devices, (state, now) =>
    state.server === server.number
      ? onceMore(state, now, by)
      : { ...state, ...withoutServer, server: server.number, assignedAt: now, assignedBy: by },
  );
}

/**
 * Observed: assigning a device to the server that it is on drops its profile, though Apple goes on to
 * show the uuid; the delta says `modified` and `removed`.
 */
function onceMore(state: DeviceState, now: number, by: string): DeviceState {
  const dropped = { profileAssignedAt: null, profilePushedAt: null } as const;
  const status = state.profileUuid === null ? state.profileStatus : 'removed';
  return { ...state, ...dropped, profileStatus: status, assignedAt: now, assignedBy: by };
}

export function reassign(
  world: World,
  server: MdmServer,
  devices: readonly number[],
  by: string,
): void {
  const { fleet } = server.organization;
  const ours = devices.filter((device) => fleet.state(device).server === server.number);
  assign(world, server, ours, by);
}

export function unassign(world: World, organization: Organization, devices: readonly number[]) {
  move(world, organization, devices, (state) =>
    state.server === UNASSIGNED ? state : { ...state, ...withoutServer, server: UNASSIGNED },
  );
}

/** Out of the organization for ever. */
export function release(world: World, organization: Organization, devices: readonly number[]) {
  move(world, organization, devices, (state) => ({
    ...pristine,
    assetTag: state.assetTag,
    server: RELEASED,
  }));
}

export function label(
  world: World,
  organization: Organization,
  devices: readonly number[],
  assetTag: string,
): void {
  move(world, organization, devices, (state) => ({ ...state, assetTag }));
}

/** A deadline by which the device has to come over from another service; seconds, or null. */
export function setMigrationDeadline(
  world: World,
  organization: Organization,
  devices: readonly number[],
  migrationDeadline: number | null,
): void {
  move(world, organization, devices, (state) => ({ ...state, migrationDeadline }));
}

/** The device starts up and fetches the profile that it was assigned. */
export function activate(world: World, organization: Organization, devices: readonly number[]) {
  move(world, organization, devices, (state, now) =>
    state.profileStatus === 'assigned'
      ? { ...state, profileStatus: 'pushed', profilePushedAt: now }
      : state,
  );
}

/** New devices; each goes to the default server of its family, if there is one. */
export function buy(world: World, organization: Organization, count: number): number[] {
  const { fleet } = organization;
  const bought = fleet.grow(count);
  for (const [family, uuid] of organization.defaults) {
    const server = world.servers.get(uuid);
    const theirs = bought.filter((device) => fleet.product(device).family === family);
    // Observed: a device that a rule has assigned names -1.
    if (server && theirs.length > 0) assign(world, server, theirs, '-1');
  }
  world.onChange();
  return bought;
}

/** Repaired by exchange: the old device is released, a new one takes its server. Answers the new one. */
export function replace(world: World, organization: Organization, device: number): number | null {
  const { fleet } = organization;
  const { server } = fleet.state(device);
  if (server === RELEASED) return null;
  const [successor = 0] = fleet.grow(1);
  move(world, organization, [device], () => ({
    ...pristine,
    server: RELEASED,
    releasedByReplacement: true,
  }));
  move(world, organization, [successor], (state, now) => ({
    ...state,
    isReplacement: true,
    server,
    ...(server === UNASSIGNED ? {} : { assignedAt: now, assignedBy: '-1' }),
  }));
  return successor;
}
