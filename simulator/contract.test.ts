import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdeClient } from '../apple/ade/client.ts';
import { createMemorySessions } from '../apple/ade/memory-sessions.ts';
import { createTokenKey } from '../apple/token/keypair.ts';
import { openServerToken } from '../apple/token/open-server-token.ts';
import type { AdeClient } from '../domain/ade.ts';
import { AdeError } from '../apple/ade/errors.ts';
import { createSimulator, type Simulator } from './app.ts';
import { faultEntry, faultNames, type FaultName } from './faults/catalog.ts';
import type { PackageOptions } from './token/server-token.ts';

/** The two sides that were written apart, our client and this simulator, over a real socket. */

let simulator: Simulator;
let url = '';
let uuid = '';
let client: AdeClient;
const key = { role: 'staged' as const, certificatePem: '', privateKeyPem: '' };

const now = () => new Date();
const post = (path: string, body: object) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function download(options: Partial<PackageOptions> = {}) {
  const answer = await post(`/portal/api/servers/${uuid}/token`, { package: options });
  return openServerToken(Buffer.from(await answer.arrayBuffer()), [key]).token;
}

beforeAll(async () => {
  simulator = createSimulator({ devices: 120 });
  ({ url } = await simulator.listen());
  Object.assign(key, await createTokenKey({ name: 'Contract', now: now() }));
  const server = { name: 'Contract', certificate: key.certificatePem, assignAll: true };
  ({ uuid } = (await (await post('/portal/api/servers', server)).json()) as { uuid: string });
  const token = await download();
  client = createAdeClient({
    integrationId: 'contract',
    baseUrl: url,
    userAgent: 'contract-test/1',
    credentials: async () => token,
    sessions: createMemorySessions(now),
    now,
  });
});
afterAll(() => simulator.close());

const serials = () => simulator.world.organizations[0]?.fleet.serials ?? [];
const profile = { profile_name: 'Staff', url: 'https://mdm.example/enroll' };

async function walk() {
  const found: string[] = [];
  let cursor: string | null = null;
  for (;;) {
    const page = await client.fetchDevices({ cursor, limit: 50 });
    found.push(...page.devices.map((device) => device.serial));
    ({ cursor } = page);
    if (!page.moreToFollow) return { found, cursor };
  }
}

test('the account is the one of the token', async () => {
  expect((await client.account()).serverUuid).toBe(uuid);
});

test('a fetch and a delta give the fleet and what happened to it', async () => {
  const { found, cursor } = await walk();
  expect(found).toEqual([...serials()]);

  const [serial = ''] = serials();
  await post('/portal/api/devices/label', { serials: [serial], assetTag: 'NEW' });
  const { devices } = await client.syncDevices({ cursor, limit: 100 });
  expect(devices).toMatchObject([{ serial, assetTag: 'NEW', operation: { type: 'modified' } }]);
});

test('profiles are defined, assigned, read back and removed', async () => {
  const [serial = ''] = serials();
  const { profileUuid } = await client.defineProfile(profile);
  expect(await client.getProfile(profileUuid)).toMatchObject(profile);

  const assigned = await client.assignProfile(profileUuid, [serial, 'NOBODY']);
  expect([...assigned.results]).toEqual([
    [serial, 'SUCCESS'],
    ['NOBODY', 'NOT_ACCESSIBLE'],
  ]);
  const details = await client.deviceDetails([serial]);
  expect(details.get(serial)).toMatchObject({ status: 'SUCCESS', device: { profileUuid } });
  expect((await client.removeProfile([serial])).get(serial)).toBe('SUCCESS');
});

test.each(['session_rotates', 'session_expired', 'unauthorized', 'forbidden'] as const)(
  'a walk goes on through %s',
  async (name) => {
    simulator.world.faults.add({ name, endpoints: ['fetch'], count: 1, skip: 1 });
    expect((await walk()).found).toEqual([...serials()]);
  },
);

describe('a refusal arrives under its code', () => {
  test.each<[FaultName, string]>([
    ['expired_cursor', 'EXPIRED_CURSOR'],
    ['invalid_cursor', 'INVALID_CURSOR'],
    ['exhausted_cursor', 'EXHAUSTED_CURSOR'],
    ['forbidden_t_c_not_signed', 'T_C_NOT_SIGNED'],
    ['forbidden_access_denied', 'ACCESS_DENIED'],
    ['too_many_requests', 'TOO_MANY_REQUESTS'],
    ['user_agent_invalid', 'USER_AGENT_INVALID'],
    ['http_503', 'SERVER_ERROR'],
    ['html_error', 'SERVER_ERROR'],
    ['half_json', 'unreachable'],
    ['wrong_shape', 'bad_reply'],
    ['torn_body', 'unreachable'],
    ['connection_reset', 'unreachable'],
  ])('%s as %s', async (name, code) => {
    for (const style of [null, 'quoted_errors', 'json_errors'] as const) {
      simulator.world.faults.clear();
      simulator.world.faults.add({ name, endpoints: ['fetch'] });
      if (style !== null) simulator.world.faults.add({ name: style });
      const refused = await client
        .fetchDevices({ cursor: null, limit: 10 })
        .catch((e: unknown) => e);
      simulator.world.faults.clear();
      expect(refused).toBeInstanceOf(AdeError);
      expect(refused).toMatchObject({ code });
    }
  });
});

describe('no refusal is a stranger to our client', () => {
  const calls: Record<string, () => Promise<unknown>> = {
    session: () => client.account(),
    fetch: () => client.fetchDevices({ cursor: null, limit: 10 }),
    sync: () => client.syncDevices({ cursor: 'x', limit: 10 }),
    define_profile: () => client.defineProfile(profile),
    assign: () => client.assignProfile('F', ['X']),
  };

  test.each(faultNames.filter((name) => faultEntry(name).kind === 'refusal'))(
    '%s',
    async (name) => {
      const endpoint = faultEntry(name).endpoints?.find((each) => each in calls) ?? 'fetch';
      simulator.world.sessions.endAll(uuid);
      simulator.world.faults.add({ name, endpoints: [endpoint] });
      const refused = (await calls[endpoint]!().catch((error: unknown) => error)) as AdeError;
      simulator.world.faults.clear();
      expect(refused).toBeInstanceOf(AdeError);
      expect(['unknown', 'bad_reply', 'unreachable']).not.toContain(refused.code);
    },
  );
});

test.each<Partial<PackageOptions>>([
  { cipher: 'des-ede3-cbc' },
  { form: 'base64', lineEnd: 'crlf', byteOrderMark: true },
  { form: 'raw' },
  { form: 'raw', encoding: 'der' },
  { foldedHeader: true, chunkBytes: 17 },
  { markers: false, wrapJsonAt: 40 },
])('a token packaged as %j opens', async (options) => {
  expect((await download(options)).consumerKey).toMatch(/^CK_/);
});
