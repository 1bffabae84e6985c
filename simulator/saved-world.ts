import type { Change, Operation } from './fleet/change-log.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Family } from './fleet/catalog.ts';
import { pristine, type DeviceState } from './fleet/state.ts';
import type { DefinedProfile, MdmServer } from './mdm-server.ts';
import { readCertificate } from './token/certificate.ts';
import type { ServerToken } from './token/server-token.ts';
import type { World } from './world.ts';

/**
 * A world as JSON. The fleet is grown again from the seed, and states are shared between devices, so
 * that half a million moved devices are a table of states and two columns of numbers. Sessions are
 * left out: clients open new ones.
 */
export interface SavedWorld {
  version: number;
  seed: number;
  devices: number;
  clockOffsetMs: number;
  cursorKey: string;
  random: number;
  organizations: SavedOrganization[];
  servers: SavedServer[];
}

interface SavedOrganization {
  size: number;
  termsAccepted: boolean;
  defaults: [Family, string][];
  states: DeviceState[];
  /** Per device its place in `states`; base64 of 32-bit numbers, as all columns. */
  stateOf: string;
  lastOperationAt: string;
}

interface SavedServer {
  uuid: string;
  number: number;
  organization: number;
  name: string;
  certificate: string;
  allowRelease: boolean;
  token: ServerToken | null;
  superseded: string[];
  profiles: DefinedProfile[];
  lastConnectedAt: number | null;
  log: {
    start: number;
    devices: string;
    at: string;
    what: string;
    states: string;
  };
}

const operations: readonly Operation[] = ['added', 'modified', 'deleted'];

function column(numbers: ArrayLike<number>): string {
  return Buffer.from(Uint32Array.from(numbers).buffer).toString('base64');
}

function readColumn(text: string): Uint32Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return new Uint32Array(bytes.buffer);
}

/** Numbers states in the order in which they are met. */
class StateTable {
  readonly states: DeviceState[] = [];
  readonly #places = new Map<DeviceState, number>();

  place(state: DeviceState): number {
    let place = this.#places.get(state);
    if (place === undefined) {
      place = this.states.push(state) - 1;
      this.#places.set(state, place);
    }
    return place;
  }
}

export function saveWorld(world: World): SavedWorld {
  const tables = world.organizations.map(() => new StateTable());
  const servers = [...world.servers.values()].map((server) => {
    const table = tables[server.organization.number] ?? new StateTable();
    return saveServer(server, table);
  });
  return {
    version: 1,
    seed: world.options.seed,
    devices: world.options.devices,
    clockOffsetMs: world.clock.offsetMs,
    cursorKey: world.cursorKey.toString('base64'),
    random: world.random.state,
    servers,
    organizations: world.organizations.map(({ fleet, termsAccepted, defaults }, number) => {
      const table = tables[number] ?? new StateTable();
      const stateOf = column(fleet.states.map((state) => table.place(state)));
      return {
        size: fleet.size,
        termsAccepted,
        defaults: [...defaults],
        states: table.states,
        stateOf,
        lastOperationAt: column(fleet.lastOperationAt.subarray(0, fleet.size)),
      };
    }),
  };
}

function saveServer(server: MdmServer, table: StateTable): SavedServer {
  const { log } = server;
  const changes = log.slice(log.start, log.end - log.start);
  return {
    uuid: server.uuid,
    number: server.number,
    organization: server.organization.number,
    name: server.name,
    certificate: server.certificate.pem,
    allowRelease: server.allowRelease,
    token: server.token,
    superseded: [...server.superseded],
    profiles: [...server.profiles.values()],
    lastConnectedAt: server.lastConnectedAt,
    log: {
      start: log.start,
      devices: column(changes.map((change) => change.device)),
      at: column(changes.map((change) => change.at)),
      what: column(changes.map((change) => operations.indexOf(change.operation))),
      states: column(changes.map((change) => table.place(change.state))),
    },
  };
}

/** Into a world that was just made with the same seed and sizes. */
export function restoreWorld(world: World, saved: SavedWorld): void {
  world.clock.offsetMs = saved.clockOffsetMs;
  world.cursorKey = Buffer.from(saved.cursorKey, 'base64');
  world.random.state = saved.random;
  for (const [number, organization] of world.organizations.entries()) {
    const kept = saved.organizations[number];
    if (kept === undefined) continue;
    organization.termsAccepted = kept.termsAccepted;
    for (const [family, uuid] of kept.defaults) organization.defaults.set(family, uuid);
    restoreFleet(organization.fleet, kept);
  }
  for (const kept of saved.servers) restoreServer(world, kept, saved);
}

function restoreFleet(fleet: Fleet, kept: SavedOrganization): void {
  fleet.grow(kept.size - fleet.size);
  for (const [device, place] of readColumn(kept.stateOf).entries()) {
    fleet.restore(device, kept.states[place] ?? pristine);
  }
  fleet.lastOperationAt.set(readColumn(kept.lastOperationAt));
}

function restoreServer(world: World, kept: SavedServer, saved: SavedWorld): void {
  const organization = world.organizations[kept.organization];
  if (organization === undefined) return;
  const certificate = readCertificate(kept.certificate);
  const server = world.addServer(organization, kept.name, certificate, kept.uuid, kept.number);
  server.allowRelease = kept.allowRelease;
  server.token = kept.token;
  for (const token of kept.superseded) server.superseded.add(token);
  for (const profile of kept.profiles) server.profiles.set(profile.uuid, profile);
  server.lastConnectedAt = kept.lastConnectedAt;

  const states = saved.organizations[kept.organization]?.states ?? [];
  const at = readColumn(kept.log.at);
  const what = readColumn(kept.log.what);
  const places = readColumn(kept.log.states);
  const changes = Array.from(readColumn(kept.log.devices), (device, n): Change => ({
    device,
    at: at[n] ?? 0,
    operation: operations[what[n] ?? 0] ?? 'modified',
    state: states[places[n] ?? 0] ?? pristine,
  }));
  server.log.restore(kept.log.start, changes);
}
