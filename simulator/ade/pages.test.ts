import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { WireDevice } from '../../apple/ade/wire.ts';
import { churn } from '../churn.ts';
import { certificatePem, connect, type Connected } from '../connected.ts';
import { activate, assign, label, reassign, release, replace, unassign } from '../moves.ts';
import type { FaultRequest } from '../faults/faults.ts';
import { readCertificate } from '../token/certificate.ts';

const FETCH = '/server/devices';
const SYNC = '/devices/sync';

async function refusal(answer: Promise<Response>) {
  const { status, text } = await answer.then(async (a) => ({
    status: a.status,
    text: await a.text(),
  }));
  return `${status} ${text}`;
}

async function fetchAll({ client }: Connected, limit = 100) {
  const devices: WireDevice[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await client.page(FETCH, { limit, ...(cursor !== undefined && { cursor }) });
    devices.push(...page.devices);
    cursor = page.cursor;
    if (!page.more_to_follow) return { devices, cursor };
  }
}

async function syncAll({ client }: Connected, from: string, limit = 100) {
  const devices: WireDevice[] = [];
  let cursor = from;
  for (;;) {
    const page = await client.page(SYNC, { limit, cursor });
    devices.push(...page.devices);
    cursor = page.cursor;
    if (!page.more_to_follow) return { devices, cursor };
  }
}

/** What a careful client believes after a fetch and a delta. */
function believe(fetched: WireDevice[], changed: WireDevice[]) {
  const known = new Map(fetched.map((device) => [device.serial_number, { device, at: '' }]));
  for (const change of changed) {
    const { op_type, op_date = '', ...device } = change;
    const before = known.get(change.serial_number);
    if (before !== undefined && before.at >= op_date) continue;
    known.set(change.serial_number, {
      device: op_type === 'deleted' ? { serial_number: '' } : device,
      at: op_date,
    });
  }
  return [...known]
    .filter(([, { device }]) => device.serial_number !== '')
    .map(([, { device }]) => device)
    .sort((a, b) => (a.serial_number < b.serial_number ? -1 : 1));
}

async function truth({ simulator, server }: Connected): Promise<WireDevice[]> {
  const answer = await simulator.fetch(
    new Request(`http://apple.test/control/truth?server=${server.uuid}`),
  );
  const lines = (await answer.text()).split('\n').filter((line) => line !== '');
  return lines
    .map((line) => JSON.parse(line) as WireDevice)
    .sort((a, b) => (a.serial_number < b.serial_number ? -1 : 1));
}

describe('a full fetch', () => {
  test('gives every device of the server once and none of the others', async () => {
    const connected = await connect({ devices: 250 }, 120);

    const { devices } = await fetchAll(connected, 50);

    expect(devices.map((device) => device.serial_number)).toEqual(connected.serials());
    expect(devices.every((device) => device.op_type === undefined)).toBe(true);
  });

  test('pages by 100 where no limit is given', async () => {
    const { client } = await connect({ devices: 250 });
    const page = await client.page(FETCH, {});
    expect(page.devices).toHaveLength(100);
    expect(page.more_to_follow).toBe(true);
  });

  test('ends with the last full page, not with an empty one after it', async () => {
    const { client } = await connect({ devices: 100 });
    expect((await client.page(FETCH, { limit: 100 })).more_to_follow).toBe(false);
  });

  test('of a server without devices is one empty page', async () => {
    const { client } = await connect({ devices: 10 }, 0);
    expect(await client.page(FETCH, {})).toMatchObject({ devices: [], more_to_follow: false });
  });

  test('refuses to go on after its end', async () => {
    const connected = await connect({ devices: 5 });
    const { cursor } = await fetchAll(connected);
    expect(await refusal(connected.client.call('POST', FETCH, { cursor }))).toBe(
      '400 EXHAUSTED_CURSOR',
    );
  });

  test.each([
    [1, ['profile_status'], ['os', 'device_family', 'wifi_mac_address']],
    [2, ['os', 'device_family'], ['wifi_mac_address', 'is_replacement_device']],
    [10, ['os', 'wifi_mac_address', 'is_replacement_device'], []],
  ])('in version %i has the fields of that version', async (version, has, hasNot) => {
    const { client } = await connect({ devices: 1 });
    const headers = { 'x-server-protocol-version': String(version) };
    const answer = await client.call('POST', FETCH, {}, headers);
    const [device] = ((await answer.json()) as { devices: object[] }).devices;
    for (const field of has) expect(device).toHaveProperty(field);
    for (const field of hasNot) expect(device).not.toHaveProperty(field);
  });

  test('calls iPadOS iOS below version 7 and shows deadlines from version 8', async () => {
    const { simulator, server, client } = await connect({ devices: 40 });
    const { fleet } = server.organization;
    fleet.change(fleet.on(server.number, 0, 40), 1, (s) => ({
      ...s,
      migrationDeadline: 1_800_000_000,
    }));
    expect(simulator.world.servers.size).toBe(1);
    const list = async (version: string) => {
      const headers = { 'x-server-protocol-version': version };
      const answer = await client.call('POST', FETCH, {}, headers);
      return ((await answer.json()) as { devices: WireDevice[] }).devices;
    };

    const old = (await list('6')).filter(({ device_family }) => device_family === 'iPad');
    const newer = (await list('8')).filter(({ device_family }) => device_family === 'iPad');
    expect(new Set(old.map(({ os }) => os))).toEqual(new Set(['iOS']));
    expect(new Set(newer.map(({ os }) => os))).toEqual(new Set(['iPadOS']));
    expect(old[0]).not.toHaveProperty('mdm_migration_deadline');
    expect(newer[0]!.mdm_migration_deadline).toBe('2027-01-15T08:00:00Z');
  });
});

describe('a delta', () => {
  test('tells what happened since the fetch began, in its order', async () => {
    const connected = await connect({ devices: 30 }, 20);
    const { simulator, server } = connected;
    const { world } = simulator;
    const { organization } = server;
    const { cursor } = await fetchAll(connected);
    const serial = (device: number) => organization.fleet.serial(device);

    assign(world, server, [25], 'admin@example.org');
    label(world, organization, [3], 'NEW');
    unassign(world, organization, [4]);
    const { devices } = await syncAll(connected, cursor);

    expect(devices.map((d) => [d.serial_number, d.op_type])).toEqual([
      [serial(25), 'added'],
      [serial(3), 'modified'],
      [serial(4), 'deleted'],
    ]);
    expect(devices[1]!.asset_tag).toBe('NEW');
    expect(Object.keys(devices[2]!).sort()).toEqual(['op_date', 'op_type', 'serial_number']);
  });

  test('gives each change of a device, with dates that grow, as it was then', async () => {
    const connected = await connect({ devices: 3 });
    const { simulator, server } = connected;
    const { world } = simulator;
    const { organization } = server;
    const { cursor } = await fetchAll(connected);

    label(world, organization, [1], 'A');
    label(world, organization, [1], 'B');
    unassign(world, organization, [1]);
    assign(world, server, [1], 'admin@example.org');
    const { devices } = await syncAll(connected, cursor, 1);

    expect(devices.map((d) => [d.op_type, d.asset_tag])).toEqual([
      ['modified', 'A'],
      ['modified', 'B'],
      ['deleted', undefined],
      ['added', 'B'],
    ]);
    const dates = devices.map((d) => d.op_date!);
    expect([...new Set(dates)].sort()).toEqual(dates);
  });

  test('with nothing to tell is one empty page', async () => {
    const connected = await connect({ devices: 3 });
    const { cursor } = await fetchAll(connected);
    const page = await connected.client.page(SYNC, { cursor });
    expect(page).toMatchObject({ devices: [], more_to_follow: false });
  });

  test('shows a device assigned to its own server again as modified and removed, uuid kept', async () => {
    const connected = await connect({ devices: 3 });
    const { simulator, server } = connected;
    const { fleet } = server.organization;
    fleet.change([0], 1, (s) => ({ ...s, profileStatus: 'assigned', profileUuid: 'F00D' }));
    const { cursor } = await fetchAll(connected);

    reassign(simulator.world, server, [0], 'admin@example.org');
    const { devices } = await syncAll(connected, cursor);

    expect(devices).toMatchObject([
      { op_type: 'modified', profile_status: 'removed', profile_uuid: 'F00D' },
    ]);
  });

  test('shows a move as deleted here and added there', async () => {
    const connected = await connect({ devices: 3 });
    const { simulator, server } = connected;
    const { world } = simulator;
    const other = world.addServer(server.organization, 'Other', readCertificate(certificatePem));
    other.log.watch();
    const { cursor } = await fetchAll(connected);

    assign(world, other, [2], 'admin@example.org');

    const { devices } = await syncAll(connected, cursor);
    expect(devices.map((d) => d.op_type)).toEqual(['deleted']);
    expect(other.log.slice(0, 9)).toMatchObject([{ device: 2, operation: 'added' }]);
  });

  test('says that a device was released because it was replaced', async () => {
    const connected = await connect({ devices: 3 });
    const { simulator, server } = connected;
    const { cursor } = await fetchAll(connected);

    replace(simulator.world, server.organization, 0);
    const { devices } = await syncAll(connected, cursor);

    expect(devices).toMatchObject([
      { op_type: 'deleted', released_by_replacement: true },
      { op_type: 'added', is_replacement_device: true },
    ]);
  });

  test('shows pushed once a device has fetched its profile, and nothing after a release', async () => {
    const connected = await connect({ devices: 3 });
    const { simulator, server } = connected;
    const { world } = simulator;
    const { organization } = server;
    organization.fleet.change([0], 1, (s) => ({
      ...s,
      profileStatus: 'assigned',
      profileUuid: 'F',
    }));
    const { cursor } = await fetchAll(connected);

    activate(world, organization, [0, 1]);
    release(world, organization, [2]);
    label(world, organization, [2], 'GONE');

    const { devices } = await syncAll(connected, cursor);
    expect(devices.map((d) => [d.op_type, d.profile_status])).toEqual([
      ['modified', 'pushed'],
      ['deleted', undefined],
    ]);
  });
});

describe('a cursor', () => {
  test('is needed for a delta', async () => {
    const { client } = await connect();
    expect(await refusal(client.call('POST', SYNC, { limit: 10 }))).toBe('400 CURSOR_REQUIRED');
  });

  test.each([['garbage'], [''], ['MDo6Og=='], ['x'.repeat(2000)]])(
    'that is made up (%s) is invalid',
    async (cursor) => {
      const { client } = await connect();
      expect(await refusal(client.call('POST', SYNC, { cursor }))).toBe('400 INVALID_CURSOR');
    },
  );

  test('of which a byte was changed is invalid', async () => {
    const connected = await connect({ devices: 3 });
    const { cursor } = await fetchAll(connected);
    const changed = cursor.slice(0, 60) + (cursor[60] === 'A' ? 'B' : 'A') + cursor.slice(61);
    expect(await refusal(connected.client.call('POST', SYNC, { cursor: changed }))).toBe(
      '400 INVALID_CURSOR',
    );
  });

  test('of another server is invalid', async () => {
    const ours = await connect({ devices: 3 });
    const { world } = ours.simulator;
    const other = world.addServer(
      ours.server.organization,
      'Other',
      readCertificate(certificatePem),
    );
    const { cursor } = await fetchAll(ours);
    world.downloadToken(other, 'admin@example.org');
    const session = world.sessions.open(other.uuid, world.clock.ms());
    const headers = { 'x-adm-auth-session': session.token };
    expect(await refusal(ours.client.call('POST', SYNC, { cursor }, headers))).toBe(
      '400 INVALID_CURSOR',
    );
  });

  test('in the middle of a fetch has no delta', async () => {
    const { client } = await connect({ devices: 30 });
    const { cursor } = await client.page(FETCH, { limit: 10 });
    expect(await refusal(client.call('POST', SYNC, { cursor }))).toBe('400 INVALID_CURSOR');
  });

  test('lives for seven days and expires after', async () => {
    const connected = await connect({ devices: 3, sessionLifetimeSeconds: 1e9 });
    const { cursor } = await fetchAll(connected);
    const { clock } = connected.simulator.world;

    clock.advance(7 * 24 * 3600 - 5);
    expect((await connected.client.call('POST', SYNC, { cursor })).status).toBe(200);
    clock.advance(10);
    expect(await refusal(connected.client.call('POST', SYNC, { cursor }))).toBe(
      '400 EXPIRED_CURSOR',
    );
  });
});

test('any walk under churn, whatever its pages hold, ends at the truth', async () => {
  const oddities: FaultRequest[] = [
    { name: 'duplicate_device_in_page' },
    { name: 'empty_page', probability: 0.3 },
    { name: 'churn', params: { changes: 3 } },
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 1e6 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 0, max: 12 }),
      fc.subarray(oddities),
      async (seed, assigned, limit, churnPerPage, faults) => {
        const options = { seed, devices: 60, churnPerPage };
        const connected = await connect(options, assigned);
        const { world } = connected.simulator;
        for (const fault of faults) world.faults.add(fault);

        const fetched = await fetchAll(connected, limit);
        churn(world, connected.server, 20);
        // Now the world holds still, so that the delta has an end.
        world.options.churnPerPage = 0;
        world.faults.clear();
        if (faults.some(({ name }) => name === 'duplicate_device_in_page')) {
          world.faults.add({ name: 'duplicate_device_in_page' });
        }
        const changed = await syncAll(connected, fetched.cursor, limit);

        expect(believe(fetched.devices, changed.devices)).toEqual(await truth(connected));
      },
    ),
    { numRuns: 60 },
  );
});
