import { afterEach, describe, expect, test } from 'vitest';
import type { WireDevicePage } from '../../apple/ade/wire.ts';
import { connect, type Connected } from '../connected.ts';
import { createRawClient, type RawClient } from '../raw-client.ts';
import { faultCatalog, faultNames } from './catalog.ts';
import type { FaultRequest } from './faults.ts';

const FETCH = '/server/devices';

async function struckBy(fault: FaultRequest, devices = 30): Promise<Connected> {
  const connected = await connect({ devices });
  const answer = await connected.simulator.fetch(
    new Request('http://apple.test/control/faults', {
      method: 'POST',
      body: JSON.stringify(fault),
    }),
  );
  expect(answer.status).toBe(201);
  return connected;
}

const said = async (answer: Response) => `${answer.status} ${await answer.text()}`;

const ways: Record<string, (client: RawClient, serials: string[]) => Promise<Response>> = {
  session: (client) => client.requestSession(),
  fetch: (client) => client.call('POST', FETCH, {}),
  sync: (client) => client.call('POST', '/devices/sync', { cursor: 'x' }),
  details: (client, devices) => client.call('POST', '/devices', { devices }),
  disown: (client, devices) => client.call('POST', '/devices/disown', { devices }),
  define_profile: (client) => client.call('POST', '/profile', {}),
  get_profile: (client) => client.call('GET', '/profile'),
  assign: (client) => client.call('PUT', '/profile/devices', {}),
};

test.each(faultNames.filter((name) => faultCatalog[name].kind === 'refusal'))(
  '%s answers with its status and word',
  async (name) => {
    const { client, serials } = await struckBy({ name });
    const entry: { endpoints?: readonly string[]; status?: number; body?: string } =
      faultCatalog[name];
    const call = ways[entry.endpoints?.[0] ?? 'fetch']!;
    expect(await said(await call(client, serials()))).toBe(`${entry.status} ${entry.body}`);
  },
);

describe('a fault', () => {
  test('is gone after its count, and skips as many calls as it was told', async () => {
    const { client } = await struckBy({ name: 'http_500', count: 2, skip: 1 });
    const statuses: number[] = [];
    for (let i = 0; i < 5; i++) statuses.push((await client.call('POST', FETCH, {})).status);
    expect(statuses).toEqual([200, 500, 500, 200, 200]);
  });

  test('strikes about as often as its probability says', async () => {
    const { client } = await struckBy({ name: 'http_500', probability: 0.5 });
    let struck = 0;
    for (let i = 0; i < 100; i++) {
      if ((await client.call('GET', '/account')).status === 500) struck += 1;
    }
    expect(struck).toBeGreaterThan(25);
    expect(struck).toBeLessThan(75);
  });

  test('keeps to its endpoints and to its server', async () => {
    const only = await struckBy({ name: 'http_500', endpoints: ['account'] });
    expect((await only.client.call('GET', '/account')).status).toBe(500);
    expect((await only.client.call('POST', FETCH, {})).status).toBe(200);

    const elsewhere = await struckBy({ name: 'http_500', server: 'ANOTHER' });
    expect((await elsewhere.client.call('GET', '/account')).status).toBe(200);
    elsewhere.simulator.world.faults.add({ name: 'http_500', server: elsewhere.server.uuid });
    expect((await elsewhere.client.call('GET', '/account')).status).toBe(500);
    expect((await elsewhere.client.requestSession()).status).toBe(500);
  });

  test('can be switched off', async () => {
    const { client, simulator } = await struckBy({ name: 'http_500' });
    await simulator.fetch(new Request('http://apple.test/control/faults', { method: 'DELETE' }));
    expect((await client.call('GET', '/account')).status).toBe(200);
  });

  test('that nobody knows is refused with its field', async () => {
    const { simulator } = await connect();
    const answer = await simulator.fetch(
      new Request('http://apple.test/control/faults', {
        method: 'POST',
        body: JSON.stringify({ name: 'gremlins' }),
      }),
    );
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: expect.stringContaining('name') as string });
  });

  test.each([
    ['seconds', /^7$/],
    ['date', / GMT$/],
  ] as const)('names Retry-After in %s', async (retryAfterForm, shape) => {
    const params = { retryAfterSeconds: 7, retryAfterForm };
    const { client } = await struckBy({ name: 'http_503', params });
    const answer = await client.call('GET', '/account');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(shape);
  });

  test('can strike after the work is done', async () => {
    const { client, server } = await struckBy({
      name: 'http_500',
      endpoints: ['define_profile'],
      params: { when: 'after' },
    });
    const profile = { profile_name: 'Staff', url: 'https://mdm.example' };
    expect((await client.call('POST', '/profile', profile)).status).toBe(500);
    expect(server.profiles.size).toBe(1);
  });

  test('quotes refusals or makes JSON of them', async () => {
    const { client, simulator } = await struckBy({ name: 'quoted_errors' });
    const call = () => client.call('POST', '/devices/sync', {});
    expect(await said(await call())).toBe('400 "CURSOR_REQUIRED"');
    simulator.world.faults.clear();
    simulator.world.faults.add({ name: 'json_errors' });
    expect(await said(await call())).toBe('400 {"code":"CURSOR_REQUIRED"}');
  });
});

describe('faults of serials', () => {
  const profile = { profile_name: 'Staff', url: 'https://mdm.example' };

  test.each([
    ['not_accessible', 'NOT_ACCESSIBLE'],
    ['failed', 'FAILED'],
    ['not_found', 'NOT_FOUND'],
    ['throttled', 'THROTTLED'],
    ['missing_from_answer', undefined],
  ] as const)('%s strikes the named ones and leaves them as they were', async (name, word) => {
    const connected = await connect({ devices: 3 });
    const [hit = '', spared = ''] = connected.serials();
    const defined = await connected.client.call('POST', '/profile', profile);
    const { profile_uuid } = (await defined.json()) as { profile_uuid: string };
    connected.simulator.world.faults.add({ name, params: { serials: [hit] } });

    const body = { profile_uuid, devices: [hit, spared] };
    const answer = await connected.client.call('PUT', '/profile/devices', body);

    const { devices } = (await answer.json()) as { devices: Record<string, string> };
    expect(devices[hit]).toBe(word);
    expect(devices[spared]).toBe('SUCCESS');
    const { fleet } = connected.server.organization;
    expect(fleet.state(fleet.find(hit)!).profileUuid).toBeNull();
  });

  test('throttled says how long to wait', async () => {
    const connected = await connect({ devices: 3 });
    connected.simulator.world.faults.add({ name: 'throttled', params: { retryAfterSeconds: 90 } });
    const defined = await connected.client.call('POST', '/profile', profile);
    const { profile_uuid } = (await defined.json()) as { profile_uuid: string };

    const body = { profile_uuid, devices: connected.serials() };
    const answer = await connected.client.call('PUT', '/profile/devices', body);

    expect(await answer.json()).toMatchObject({ retry_after_seconds: 90 });
  });
});

describe('faults of pages', () => {
  const page = (client: RawClient, request: object = {}) => client.page(FETCH, request);

  test('same_cursor sends back the cursor it was sent, with more to follow', async () => {
    const { client } = await struckBy({ name: 'same_cursor' });
    const { cursor } = await page(client, { limit: 10 });
    expect(await page(client, { limit: 10, cursor })).toMatchObject({
      cursor,
      more_to_follow: true,
    });
  });

  test('silently_missing leaves devices out of every page', async () => {
    const connected = await connect({ devices: 10 });
    const [gone = '', ...rest] = connected.serials();
    connected.simulator.world.faults.add({ name: 'silently_missing', params: { serials: [gone] } });
    const { devices } = await page(connected.client);
    expect(devices.map((device) => device.serial_number)).toEqual(rest);
  });

  test('empty_page has no devices, a new cursor, and loses nothing', async () => {
    const { client, serials } = await struckBy({ name: 'empty_page', count: 1 });
    const empty = await page(client, { limit: 100 });
    expect(empty).toMatchObject({ devices: [], more_to_follow: true });
    const next = await page(client, { limit: 100, cursor: empty.cursor });
    expect(next.devices.map((device) => device.serial_number)).toEqual(serials());
  });

  test('duplicate_device_in_page puts an older, stale entry last', async () => {
    const { client, simulator, server } = await struckBy({ name: 'duplicate_device_in_page' });
    const { cursor } = await page(client, { limit: 100 });
    const { fleet } = server.organization;
    fleet.change([1], simulator.world.clock.seconds(), (s) => ({ ...s, assetTag: 'FRESH' }));

    const { devices } = await client.page('/devices/sync', { cursor });

    expect(devices.map((device) => device.asset_tag)).toEqual(['FRESH', 'STALE']);
    expect(devices[1]!.op_date! < devices[0]!.op_date!).toBe(true);
  });

  test('odd_values is legal JSON with words of tomorrow', async () => {
    const { client } = await struckBy({ name: 'odd_values' });
    const { devices } = await page(client);
    expect(devices[0]).toMatchObject({ os: 'watchOS', profile_status: '', color: null });
  });

  test('modified_on_move tells an arrival as modified and removed', async () => {
    const { client, simulator, server } = await struckBy({ name: 'modified_on_move' });
    const { cursor } = await page(client, { limit: 100 });
    const { fleet } = server.organization;
    const now = simulator.world.clock.seconds();
    const [device = 0] = fleet.grow(1);
    fleet.change([device], now, (s) => ({ ...s, server: server.number }));
    const { devices } = await client.page('/devices/sync', { cursor });
    expect(devices).toMatchObject([{ op_type: 'modified', profile_status: 'removed' }]);
  });
});

describe('faults of sessions', () => {
  test('session_expired ends the session in mid-walk', async () => {
    const { client } = await struckBy({ name: 'session_expired', count: 1 });
    expect(await said(await client.call('GET', '/account'))).toBe('401 UNAUTHORIZED');
    expect(await said(await client.call('GET', '/account'))).toBe('403 FORBIDDEN');
    await client.openSession();
    expect((await client.call('GET', '/account')).status).toBe(200);
  });

  test('session_rotates names a new session and ends the old one', async () => {
    const { client } = await struckBy({ name: 'session_rotates', count: 1 });
    const answer = await client.call('GET', '/account');
    const next = answer.headers.get('x-adm-auth-session') ?? '';
    expect((await client.call('GET', '/account')).status).toBe(403);
    client.session = next;
    expect((await client.call('GET', '/account')).status).toBe(200);
  });
});

describe('faults of the network, on a real socket', () => {
  let listening: Connected | undefined;
  afterEach(async () => {
    await listening?.simulator.close();
    listening = undefined;
  });

  async function over(fault: FaultRequest): Promise<RawClient> {
    listening = await connect({ devices: 50 });
    const { simulator, server } = listening;
    const { url } = await simulator.listen();
    const token = server.token!;
    const client = createRawClient((request) => fetch(request), token, url);
    await client.openSession();
    simulator.world.faults.add({ endpoints: ['fetch'], count: 1, ...fault });
    return client;
  }

  test('connection_reset cuts without an answer, and the next call goes through', async () => {
    const client = await over({ name: 'connection_reset' });
    await expect(client.call('POST', FETCH, {})).rejects.toThrow('fetch failed');
    expect((await client.page(FETCH, {})).devices).toHaveLength(50);
    expect(listening!.simulator.world.statistics.endpoints.fetch).toMatchObject({
      calls: 2,
      byStatus: { 0: 1, 200: 1 },
    });
  });

  test('connection_reset after the work cuts when it is done', async () => {
    const client = await over({
      name: 'connection_reset',
      endpoints: ['define_profile'],
      params: { when: 'after' },
    });
    const profile = { profile_name: 'Staff', url: 'https://mdm.example' };
    await expect(client.call('POST', '/profile', profile)).rejects.toThrow('fetch failed');
    expect(listening!.server.profiles.size).toBe(1);
  });

  test('torn_body ends in the middle of what it promised', async () => {
    const client = await over({ name: 'torn_body' });
    const answer = await client.call('POST', FETCH, {});
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  test('half_json is a whole answer with half a JSON', async () => {
    const client = await over({ name: 'half_json' });
    const text = await (await client.call('POST', FETCH, {})).text();
    expect(text.startsWith('{"cursor":')).toBe(true);
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });

  test('slow_body comes in drops and is whole in the end', async () => {
    const client = await over({ name: 'slow_body', params: { delayMs: 1, drops: 5 } });
    const answer = await client.call('POST', FETCH, {});
    expect(((await answer.json()) as WireDevicePage).devices).toHaveLength(50);
  });

  test('slow lets a later call overtake', async () => {
    const client = await over({ name: 'slow', params: { delayMs: 300 } });
    const order: string[] = [];
    const slow = client.page(FETCH, {}).then(() => order.push('slow'));
    const fast = client.call('GET', '/account').then(() => order.push('fast'));
    await Promise.all([slow, fast]);
    expect(order).toEqual(['fast', 'slow']);
  });

  test('wrong_shape is a 200 of the shape that was asked for', async () => {
    const client = await over({ name: 'wrong_shape', params: { shape: { devices: {} } } });
    expect(await (await client.call('POST', FETCH, {})).json()).toEqual({ devices: {} });
  });
});
