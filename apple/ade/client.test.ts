import { inspect } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { clientOf, emptyPage, token } from './fixtures/clients.ts';
import { startFakeApple, type FakeApple } from './fixtures/fake-apple.ts';
import type { AdeCall } from './exchange.ts';

const opened: FakeApple[] = [];
async function fakeApple(answer: Parameters<typeof startFakeApple>[0]): Promise<FakeApple> {
  const apple = await startFakeApple(answer);
  opened.push(apple);
  return apple;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((apple) => apple.close()));
});

const serials = (...list: string[]) => ({
  devices: Object.fromEntries(list.map((s) => [s, 'SUCCESS'])),
});

test('asks for a session by OAuth and carries it from then on', async () => {
  const apple = await fakeApple(({ line }) =>
    line === 'POST /server/devices' ? { body: emptyPage } : undefined,
  );
  const client = clientOf(`${apple.baseUrl}/`, { newNonce: () => 'n0nce' });
  await client.fetchDevices({ cursor: null, limit: 100 });
  await client.fetchDevices({ cursor: 'MDow+/=', limit: 100 });

  expect(apple.seen.map(({ line }) => line)).toEqual([
    'GET /session',
    'POST /server/devices',
    'POST /server/devices',
  ]);
  const [session, first, second] = apple.seen;
  expect(session?.headers).toMatchObject({
    authorization: expect.stringMatching(
      /^OAuth realm="ADM", oauth_consumer_key="CK_0123456789abcdef", oauth_nonce="n0nce", .*oauth_timestamp="1767225600"/,
    ) as string,
    'x-server-protocol-version': '10',
    'user-agent': 'acme-mdm/1.2',
    'content-type': 'application/json;charset=UTF8',
  });
  expect(session?.headers).not.toHaveProperty('x-adm-auth-session');
  expect(first?.headers).toMatchObject({
    'x-adm-auth-session': 'S1',
    'x-server-protocol-version': '10',
    'user-agent': 'acme-mdm/1.2',
    'content-type': 'application/json;charset=UTF8',
  });
  expect(first?.headers).not.toHaveProperty('authorization');
  expect(JSON.parse(first?.body ?? '')).toEqual({ limit: 100 });
  expect(JSON.parse(second?.body ?? '')).toEqual({ cursor: 'MDow+/=', limit: 100 });
});

test('speaks every endpoint as Apple spells it, bodies of DELETE included', async () => {
  const answers: Record<string, unknown> = {
    'GET /account': { server_uuid: 'U1' },
    'POST /devices/sync': emptyPage,
    'POST /devices': { devices: { A1: { response_status: 'NOT_FOUND' } } },
    'POST /devices/disown': serials('A1'),
    'POST /profile': { profile_uuid: 'P1', devices: {} },
    'GET /profile?profile_uuid=P%2F1+%26': { profile_name: 'Kiosk' },
    'PUT /profile/devices': { profile_uuid: 'P1', ...serials('A1'), retry_after_seconds: 60 },
    'DELETE /profile/devices': serials('A1', 'B2'),
  };
  const apple = await fakeApple(({ line }) =>
    line in answers ? { body: answers[line] } : undefined,
  );
  const client = clientOf(apple.baseUrl);

  expect(await client.account()).toMatchObject({ serverUuid: 'U1' });
  expect(await client.syncDevices({ cursor: 'c', limit: 7 })).toMatchObject({ cursor: 'MDow' });
  expect(await client.deviceDetails(['a1'])).toEqual(
    new Map([['A1', { status: 'NOT_FOUND', device: null }]]),
  );
  expect(await client.disownDevices(['A1'])).toEqual(new Map([['A1', 'SUCCESS']]));
  expect(await client.defineProfile({ profile_name: 'Kiosk', url: 'u' })).toEqual({
    profileUuid: 'P1',
  });
  expect(await client.getProfile('P/1 &')).toEqual({ profile_name: 'Kiosk' });
  expect(await client.assignProfile('P1', ['A1', 'a1 ', 'B2'])).toEqual({
    results: new Map([
      ['A1', 'SUCCESS'],
      ['B2', 'FAILED'],
    ]),
    retryAfterSeconds: 60,
  });
  expect(await client.removeProfile(['A1', 'B2'])).toEqual(
    new Map([
      ['A1', 'SUCCESS'],
      ['B2', 'SUCCESS'],
    ]),
  );

  expect(apple.seen.slice(1).map(({ line, body }) => [line, body])).toEqual([
    ['GET /account', ''],
    ['POST /devices/sync', '{"cursor":"c","limit":7}'],
    ['POST /devices', '{"devices":["A1"]}'],
    ['POST /devices/disown', '{"devices":["A1"]}'],
    ['POST /profile', '{"profile_name":"Kiosk","url":"u"}'],
    ['GET /profile?profile_uuid=P%2F1+%26', ''],
    ['PUT /profile/devices', '{"profile_uuid":"P1","devices":["A1","B2"]}'],
    ['DELETE /profile/devices', '{"devices":["A1","B2"]}'],
  ]);
});

test('finds Apple below a path of a gateway', async () => {
  const apple = await fakeApple(({ line }) => {
    if (line === 'GET /apple/session') return { body: { auth_session_token: 'S1' } };
    return line === 'GET /apple/account' ? { body: { server_uuid: 'U1' } } : undefined;
  });
  await expect(clientOf(`${apple.baseUrl}/apple/`).account()).resolves.toBeDefined();
});

test('a batch above 1000 is refused before Apple hears of it, an empty one needs no call', async () => {
  const apple = await fakeApple(() => undefined);
  const client = clientOf(apple.baseUrl);
  const tooMany = Array.from({ length: 1001 }, (_, at) => `S${at}`);
  await expect(client.assignProfile('P1', tooMany)).rejects.toThrow(TypeError);
  await expect(client.removeProfile(tooMany)).rejects.toThrow(TypeError);
  await expect(client.disownDevices(tooMany)).rejects.toThrow(TypeError);
  await expect(client.deviceDetails(tooMany)).rejects.toThrow(TypeError);
  await expect(client.fetchDevices({ cursor: null, limit: 1001 })).rejects.toThrow(TypeError);
  expect(await client.assignProfile('P1', [])).toEqual({
    results: new Map(),
    retryAfterSeconds: null,
  });
  expect(await client.deviceDetails([])).toEqual(new Map());
  expect(apple.seen).toEqual([]);
});

test.each([
  ['{"cursor":"c","devices":[{"serial_number":"A1"', 'unreachable', /broke off/],
  ['', 'bad_reply', /the body is not there/],
  ['<html>Welcome to the hotel</html>', 'bad_reply', /the body is not JSON/],
  ['null', 'bad_reply', /the body is not an object/],
  ['{"cursor":"c","devices":[],"more_to_follow":"no"}', 'bad_reply', /more_to_follow/],
  ['{"cursor":"c","devices":[{}],"more_to_follow":true}', 'bad_reply', /devices\.0\.serial_number/],
])('a page that reads %j is %s', async (body, code, detail) => {
  const apple = await fakeApple(({ line }) =>
    line === 'POST /devices/sync' ? { body } : undefined,
  );
  await expect(
    clientOf(apple.baseUrl).syncDevices({ cursor: 'c', limit: 100 }),
  ).rejects.toMatchObject({
    name: 'AdeError',
    code,
    endpoint: 'POST /devices/sync',
    status: 200,
    detail: expect.stringMatching(detail) as string,
  });
  expect(apple.count('POST /devices/sync')).toBe(1);
});

test.each([
  ['30', 30],
  ['Thu, 01 Jan 2026 00:02:00 GMT', 120],
  ['whenever', null],
])('hands on Retry-After %j', async (header, seconds) => {
  const apple = await fakeApple(({ line }) =>
    line === 'GET /account'
      ? { status: 429, body: '', headers: { 'Retry-After': header } }
      : undefined,
  );
  await expect(clientOf(apple.baseUrl).account()).rejects.toMatchObject({
    code: 'TOO_MANY_REQUESTS',
    retryAfterSeconds: seconds,
  });
});

test('tells of every exchange, repetitions and sessions included', async () => {
  const apple = await fakeApple(({ line, headers }) => {
    if (line !== 'GET /account') return undefined;
    return headers['x-adm-auth-session'] === 'S1'
      ? { status: 401, body: 'UNAUTHORIZED' }
      : { body: { server_uuid: 'U1' } };
  });
  const calls: AdeCall[] = [];
  await clientOf(apple.baseUrl, { onCall: (call) => calls.push(call) }).account();
  expect(calls.map(({ endpoint, code }) => [endpoint, code])).toEqual([
    ['GET /session', 'ok'],
    ['GET /account', 'UNAUTHORIZED'],
    ['GET /session', 'ok'],
    ['GET /account', 'ok'],
  ]);
  for (const { seconds } of calls) expect(seconds).toBeGreaterThan(0);
});

test('no failure shows a secret, also when Apple repeats them all', async () => {
  const secrets = [token.consumerKey, token.consumerSecret, token.accessToken, token.accessSecret];
  const session = 'S-very-private';
  const told: unknown[] = [];
  for (const line of ['GET /session', 'GET /account']) {
    for (const status of [200, 400, 401, 403, 503]) {
      const apple = await fakeApple((request) => {
        if (request.line === line)
          return {
            status,
            body: `${secrets.join(' ')} ${session} {"auth_session_token":"${session}"`,
          };
        return { body: { auth_session_token: session } };
      });
      const calls: AdeCall[] = [];
      const client = clientOf(apple.baseUrl, { onCall: (call) => calls.push(call) });
      told.push(await client.account().catch((error: unknown) => error), calls);
    }
  }
  const text = inspect(told, { depth: 10, showHidden: true }) + JSON.stringify(told);
  expect(text).toContain('SERVER_ERROR');
  for (const secret of secrets) expect(text).not.toContain(secret);
  // What /session answers is not known to be a secret before it is accepted.
  const ofAccount = told.slice(10);
  expect(inspect(ofAccount, { depth: 10, showHidden: true })).not.toContain(session);
});
