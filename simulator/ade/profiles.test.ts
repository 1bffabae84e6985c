import { describe, expect, test } from 'vitest';
import { connect, type Connected } from '../connected.ts';

const good = { profile_name: 'Staff', url: 'https://mdm.example/enroll' };

interface SerialReply {
  profile_uuid?: string;
  devices: Record<string, string>;
  retry_after_seconds?: number;
}

const said = async (answer: Response) => `${answer.status} ${await answer.text()}`;
const read = async (answer: Response) => (await answer.json()) as SerialReply;

async function define({ client }: Connected, extra: object = {}): Promise<string> {
  const reply = await read(await client.call('POST', '/profile', { ...good, ...extra }));
  return reply.profile_uuid ?? '';
}

function stateOf({ server }: Connected, serial: string) {
  const { fleet } = server.organization;
  return fleet.state(fleet.find(serial)!);
}

describe('POST /profile', () => {
  test('defines a profile that GET gives back without its devices', async () => {
    const connected = await connect({ devices: 3 });
    const [serial = ''] = connected.serials();

    const uuid = await define(connected, { is_supervised: true, devices: [serial] });

    expect(uuid).toMatch(/^[0-9A-F]{32}$/);
    const path = `/profile?profile_uuid=${uuid}`;
    expect(await (await connected.client.call('GET', path)).json()).toEqual({
      ...good,
      is_supervised: true,
      profile_uuid: uuid,
    });
    expect(stateOf(connected, serial)).toMatchObject({
      profileStatus: 'assigned',
      profileUuid: uuid,
    });
  });

  test('makes another profile of the same words', async () => {
    const connected = await connect();
    expect(await define(connected)).not.toBe(await define(connected));
  });

  test.each([
    [{ profile_name: undefined }, 'CONFIG_NAME_REQUIRED'],
    [{ profile_name: '' }, 'CONFIG_NAME_INVALID'],
    [{ profile_name: 'é'.repeat(63) }, 'CONFIG_NAME_INVALID'],
    [{ url: undefined }, 'CONFIG_URL_REQUIRED'],
    [{ url: 'mdm.example' }, 'CONFIG_URL_INVALID'],
    [{ url: `https://mdm.example/${'x'.repeat(2000)}` }, 'CONFIG_URL_INVALID'],
    [{ configuration_web_url: 'nowhere' }, 'CONFIG_URL_INVALID'],
    [{ department: '' }, 'DEPARTMENT_INVALID'],
    [{ department: 'x'.repeat(126) }, 'DEPARTMENT_INVALID'],
    [{ support_phone_number: '1'.repeat(51) }, 'SUPPORT_PHONE_INVALID'],
    [{ support_email_address: 'x'.repeat(251) }, 'SUPPORT_EMAIL_INVALID'],
    [{ org_magic: '' }, 'MAGIC_INVALID'],
    [{ org_magic: 'x'.repeat(257) }, 'MAGIC_INVALID'],
    [{ language: 'english' }, 'LOCALE_INVALID'],
    [{ language: 'en', region: 'us' }, 'LOCALE_INVALID'],
    [{ region: 'QX' }, 'LOCALE_INVALID'],
    [{ is_mdm_removable: false }, 'FLAGS_INVALID'],
    [{ is_supervised: 'yes' }, 'MALFORMED_REQUEST_BODY'],
    [{ skip_setup_items: 'Siri' }, 'MALFORMED_REQUEST_BODY'],
  ])('refuses %j', async (change, code) => {
    const { client, server } = await connect();
    expect(await said(await client.call('POST', '/profile', { ...good, ...change }))).toBe(
      `400 ${code}`,
    );
    expect(server.profiles.size).toBe(0);
  });

  test.each([
    { profile_name: 'x'.repeat(125), department: 'x'.repeat(125), org_magic: 'x'.repeat(256) },
    { support_phone_number: '', support_email_address: '', language: 'de', region: 'AT' },
    { is_mdm_removable: false, is_supervised: true },
  ])('accepts what is just within its rules: %j', async (change) => {
    expect(await define(await connect(), change)).not.toBe('');
  });
});

describe('GET /profile', () => {
  test('wants a uuid that this server has', async () => {
    const { client } = await connect();
    expect(await said(await client.call('GET', '/profile'))).toBe('400 PROFILE_UUID_REQUIRED');
    expect(await said(await client.call('GET', '/profile?profile_uuid=AB'))).toBe('404 NOT_FOUND');
  });
});

describe('/profile/devices', () => {
  test.each(['POST', 'PUT'])('%s assigns, serial by serial', async (method) => {
    const connected = await connect({ devices: 5 }, 3);
    const [serial = ''] = connected.serials();
    const foreign = connected.server.organization.fleet.serial(4);
    const profile_uuid = await define(connected);

    const devices = [serial, foreign, 'NOSUCHSERIAL'];
    const answer = await connected.client.call(method, '/profile/devices', {
      profile_uuid,
      devices,
    });

    expect(await read(answer)).toEqual({
      profile_uuid,
      devices: { [serial]: 'SUCCESS', [foreign]: 'NOT_ACCESSIBLE', NOSUCHSERIAL: 'NOT_ACCESSIBLE' },
    });
    expect(stateOf(connected, serial)).toMatchObject({ profileStatus: 'assigned' });
    expect(stateOf(connected, foreign).profileUuid).toBeNull();
  });

  test('tells of an assignment in the delta', async () => {
    const connected = await connect({ devices: 2 });
    const profile_uuid = await define(connected);
    const { cursor } = await connected.client.page('/server/devices', {});

    const devices = connected.serials();
    await connected.client.call('POST', '/profile/devices', { profile_uuid, devices });

    const page = await connected.client.page('/devices/sync', { cursor });
    expect(page.devices).toMatchObject([
      { op_type: 'modified', profile_status: 'assigned', profile_uuid },
      { op_type: 'modified', profile_status: 'assigned', profile_uuid },
    ]);
    expect(page.devices[0]!.profile_assign_time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test('DELETE takes the profile away, whatever uuid comes with it', async () => {
    const connected = await connect({ devices: 2 });
    const devices = connected.serials();
    await define(connected, { devices });

    const body = { devices: devices.slice(0, 1), profile_uuid: 'ANY' };
    const answer = await connected.client.call('DELETE', '/profile/devices', body);

    expect(await read(answer)).toEqual({ devices: { [devices[0]!]: 'SUCCESS' } });
    expect(stateOf(connected, devices[0]!)).toMatchObject({
      profileStatus: 'removed',
      profileUuid: null,
    });
    expect(stateOf(connected, devices[1]!).profileStatus).toBe('assigned');
  });

  test('refuses what it cannot act on', async () => {
    const connected = await connect({ devices: 2 });
    const profile_uuid = await define(connected);
    const assign = async (body: object) =>
      said(await connected.client.call('POST', '/profile/devices', body));
    const devices = connected.serials();

    expect(await assign({ devices })).toBe('400 PROFILE_UUID_REQUIRED');
    expect(await assign({ profile_uuid, devices: [] })).toBe('400 DEVICE_ID_REQUIRED');
    expect(await assign({ profile_uuid })).toBe('400 DEVICE_ID_REQUIRED');
    expect(await assign({ profile_uuid, devices: 'all' })).toBe('400 MALFORMED_REQUEST_BODY');
    expect(await assign({ profile_uuid, devices: Array(1001).fill('X') })).toBe(
      '400 MALFORMED_REQUEST_BODY',
    );
    expect(await assign({ profile_uuid: 'F'.repeat(32), devices })).toBe('404 PROFILE_NOT_FOUND');
  });

  test('throttles a device that is assigned too often, for a day after the last attempt', async () => {
    const connected = await connect({ devices: 1, throttleAfter: 2, sessionLifetimeSeconds: 1e9 });
    const { clock } = connected.simulator.world;
    const devices = connected.serials();
    const profile_uuid = await define(connected);
    const assign = async (version: string) => {
      const headers = { 'x-server-protocol-version': version };
      const body = { profile_uuid, devices };
      const reply = await read(
        await connected.client.call('PUT', '/profile/devices', body, headers),
      );
      return [Object.values(reply.devices)[0], reply.retry_after_seconds];
    };

    expect(await assign('10')).toEqual(['SUCCESS', undefined]);
    expect(await assign('10')).toEqual(['SUCCESS', undefined]);
    expect(await assign('10')).toEqual(['THROTTLED', 86_400]);
    clock.advance(80_000);
    expect(await assign('9')).toEqual(['THROTTLED', undefined]);
    clock.advance(80_000);
    expect(await assign('8')).toEqual(['FAILED', undefined]);
    clock.advance(86_401);
    expect(await assign('10')).toEqual(['SUCCESS', undefined]);
  });

  test('counts what each assign call asked for', async () => {
    const connected = await connect({ devices: 30 });
    const profile_uuid = await define(connected);
    const body = { profile_uuid, devices: connected.serials() };
    await connected.client.call('PUT', '/profile/devices', body);

    expect(connected.simulator.world.statistics.assignCalls).toMatchObject([
      { profileUuid: profile_uuid, serials: 30 },
    ]);
  });
});

describe('/devices', () => {
  test('tells each serial apart', async () => {
    const connected = await connect({ devices: 5 }, 3);
    const [serial = ''] = connected.serials();
    const foreign = connected.server.organization.fleet.serial(4);

    const answer = await connected.client.call('POST', '/devices', {
      devices: [serial, foreign, 'NOBODY'],
    });

    expect(await answer.json()).toMatchObject({
      devices: {
        [serial]: { serial_number: serial, profile_status: 'empty', response_status: 'SUCCESS' },
        [foreign]: { response_status: 'NOT_ACCESSIBLE' },
        NOBODY: { response_status: 'NOT_FOUND' },
      },
    });
  });

  test('wants serials', async () => {
    const { client } = await connect();
    expect(await said(await client.call('POST', '/devices', { devices: [] }))).toBe(
      '400 DEVICE_ID_REQUIRED',
    );
  });
});

describe('/devices/disown', () => {
  test('releases for ever, and tells it in the delta', async () => {
    const connected = await connect({ devices: 2 });
    const [first = '', second = ''] = connected.serials();
    const { cursor } = await connected.client.page('/server/devices', {});

    const answer = await connected.client.call('POST', '/devices/disown', { devices: [first] });

    expect(await read(answer)).toEqual({ devices: { [first]: 'SUCCESS' } });
    expect(connected.serials()).toEqual([second]);
    const page = await connected.client.page('/devices/sync', { cursor });
    expect(page.devices).toMatchObject([{ serial_number: first, op_type: 'deleted' }]);
  });

  test('fails per device where the server entry may not release', async () => {
    const connected = await connect({ devices: 1 });
    connected.server.allowRelease = false;
    const devices = connected.serials();

    const answer = await connected.client.call('POST', '/devices/disown', { devices });

    expect(await read(answer)).toEqual({ devices: { [devices[0]!]: 'FAILED' } });
    expect(connected.serials()).toEqual(devices);
  });
});
