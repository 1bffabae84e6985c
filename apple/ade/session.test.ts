import { afterEach, describe, expect, test } from 'vitest';
import type { AdeSessionStore } from '../../domain/ade.ts';
import { clientOf, now, token } from './fixtures/clients.ts';
import { startFakeApple, type Answer, type FakeApple } from './fixtures/fake-apple.ts';
import { createMemorySessions } from './memory-sessions.ts';

const opened: FakeApple[] = [];
async function fakeApple(answer: Parameters<typeof startFakeApple>[0]): Promise<FakeApple> {
  const apple = await startFakeApple(answer);
  opened.push(apple);
  return apple;
}
afterEach(async () => {
  await Promise.all(opened.splice(0).map((apple) => apple.close()));
});

const account: Answer = { body: { server_uuid: 'U1' } };

/** Apple takes only the sessions of `good` on any endpoint but `/session`. */
const taking = (good: (session: string) => boolean, refusal: Answer) =>
  fakeApple(({ line, headers }) => {
    if (line === 'GET /session') return undefined;
    return good(String(headers['x-adm-auth-session'])) ? account : refusal;
  });

describe('a session that Apple no longer takes', () => {
  test.each([
    [401, 'UNAUTHORIZED'],
    [401, '"UNAUTHORIZED"'],
    [401, '{"code":"UNAUTHORIZED"}'],
    [401, ''],
    [403, 'FORBIDDEN'],
    [403, '"FORBIDDEN"'],
  ])('(%i %s) is renewed once and the request repeated once', async (status, body) => {
    const apple = await taking((session) => session === 'S2', { status, body });
    await expect(clientOf(apple.baseUrl).account()).resolves.toMatchObject({ serverUuid: 'U1' });
    expect(apple.seen.map(({ line }) => line)).toEqual([
      'GET /session',
      'GET /account',
      'GET /session',
      'GET /account',
    ]);
  });

  test.each([
    [401, 'UNAUTHORIZED'],
    [403, 'FORBIDDEN'],
  ])('for ever (%i) costs two requests and two sessions, no more', async (status, code) => {
    const apple = await taking(() => false, { status, body: code });
    await expect(clientOf(apple.baseUrl).account()).rejects.toMatchObject({ code, status });
    expect(apple.count('GET /account')).toBe(2);
    expect(apple.count('GET /session')).toBe(2);
  });

  test('is renewed by one caller for all that run at once', async () => {
    const apple = await taking((session) => session !== 'old', { status: 401, body: '' });
    const sessions = createMemorySessions(now);
    await sessions.saveRenewed('i1', 0, 'old');
    const client = clientOf(apple.baseUrl, { sessions });
    await Promise.all(Array.from({ length: 8 }, () => client.account()));
    expect(apple.count('GET /session')).toBe(1);
  });
});

describe('what a new session does not change', () => {
  test.each([
    [403, 'T_C_NOT_SIGNED'],
    [403, '"T_C_NOT_SIGNED"'],
    [403, 'ACCESS_DENIED'],
    [403, 'APPLE_SEED_FOR_IT_TURNED_OFF'],
    [403, ''],
    [400, 'FORBIDDEN'],
    [400, 'INVALID_CURSOR'],
    [500, 'UNAUTHORIZED'],
    [429, ''],
  ])('%i %s is not answered with one', async (status, body) => {
    const apple = await taking(() => false, { status, body });
    await expect(clientOf(apple.baseUrl).account()).rejects.toMatchObject({ status });
    expect(apple.seen).toHaveLength(2);
  });
});

describe('disown', () => {
  test('is sent once, and leaves a live session to whoever asks next', async () => {
    const apple = await fakeApple(({ line, headers }) => {
      if (line === 'GET /session') return undefined;
      return headers['x-adm-auth-session'] === 'S1'
        ? { status: 401, body: 'UNAUTHORIZED' }
        : { body: { devices: { A1: 'SUCCESS' } } };
    });
    const client = clientOf(apple.baseUrl);
    await expect(client.disownDevices(['A1'])).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect(apple.count('POST /devices/disown')).toBe(1);
    await expect(client.disownDevices(['A1'])).resolves.toEqual(new Map([['A1', 'SUCCESS']]));
    expect(apple.count('POST /devices/disown')).toBe(2);
    expect(apple.count('GET /session')).toBe(2);
  });

  test.each([
    [
      'is cut off',
      (response: { destroy: () => void }) => {
        response.destroy();
      },
      'unreachable',
    ],
    ['is in trouble', { status: 503, body: '' }, 'SERVER_ERROR'],
    ['sends half an answer', { body: '{"devices":{"A1"' }, 'unreachable'],
  ] as [string, Answer, string][])('is not sent again when Apple %s', async (_, answer, code) => {
    const apple = await fakeApple(({ line }) => (line === 'GET /session' ? undefined : answer));
    await expect(clientOf(apple.baseUrl).disownDevices(['A1'])).rejects.toMatchObject({ code });
    expect(apple.count('POST /devices/disown')).toBe(1);
  });
});

describe('/session itself', () => {
  test.each([
    [401, 'oauth_problem_adviceUnauthorized', 'UNAUTHORIZED'],
    [401, '', 'UNAUTHORIZED'],
    [401, 'token_rejected', 'TOKEN_REJECTED'],
    [401, 'token_expired', 'TOKEN_EXPIRED'],
    [401, 'signature_invalid', 'SIGNATURE_INVALID'],
    [403, 'token_expiredForbidden', 'TOKEN_EXPIRED'],
    [403, 'T_C_NOT_SIGNED', 'T_C_NOT_SIGNED'],
    [403, 'ACCESS_DENIED', 'ACCESS_DENIED'],
    [400, 'oauth_problem_adviceBad Request', 'MESSAGE_FORMAT_ERROR'],
    [405, '', 'METHOD_NOT_ALLOWED'],
    [429, 'TOO_MANY_REQUESTS', 'TOO_MANY_REQUESTS'],
    [503, '', 'SERVER_ERROR'],
  ])('refusing with %i %j is %s, after one call', async (status, body, code) => {
    const apple = await fakeApple(() => ({ status, body }));
    const sessions = createMemorySessions(now);
    const failing = clientOf(apple.baseUrl, { sessions }).account();
    await expect(failing).rejects.toMatchObject({ code, status, endpoint: 'GET /session' });
    expect(apple.seen).toHaveLength(1);
    // The claim was given back: the next caller need not wait for it to run out.
    await expect(sessions.claimRenewal('i1', 0, 1)).resolves.toBe(0);
  });

  test.each([
    ['{}', /auth_session_token/],
    ['{"auth_session_token":""}', /auth_session_token/],
    ['{"auth_session_token":7}', /auth_session_token/],
    [JSON.stringify({ auth_session_token: 'a\r\nX-Evil: 1' }), /auth_session_token/],
    ['"S1"', /the body/],
  ])('answering %j is a bad reply', async (body, detail) => {
    const apple = await fakeApple(() => ({ body }));
    await expect(clientOf(apple.baseUrl).account()).rejects.toMatchObject({
      code: 'bad_reply',
      endpoint: 'GET /session',
      detail: expect.stringMatching(detail) as string,
    });
  });

  test('is asked with the token of the day', async () => {
    const apple = await taking((session) => session === 'S2', { status: 401, body: '' });
    let current = token;
    const client = clientOf(apple.baseUrl, { credentials: async () => current });
    const first = client.account();
    current = { ...token, consumerKey: 'CK_renewed' };
    await first;
    const [before, after] = apple.seen.filter(({ line }) => line === 'GET /session');
    expect(before?.headers['authorization']).toContain('CK_renewed');
    expect(after?.headers['authorization']).toContain('CK_renewed');
  });
});

describe('a session shared between processes', () => {
  /** Two clients with nothing in common but the store, as in two workers. */
  const twoOn = (apple: FakeApple, sessions: AdeSessionStore) => [
    clientOf(apple.baseUrl, { sessions }),
    clientOf(apple.baseUrl, { sessions }),
  ];

  test('is asked for once when both start at once', async () => {
    const apple = await taking(() => true, {});
    const clients = twoOn(apple, createMemorySessions(now));
    await Promise.all(clients.flatMap((client) => [client.account(), client.account()]));
    expect(apple.count('GET /session')).toBe(1);
    expect(apple.count('GET /account')).toBe(4);
  });

  test('is renewed once when both find it dead at once', async () => {
    const sessions = createMemorySessions(now);
    await sessions.saveRenewed('i1', 0, 'old');
    const apple = await taking((session) => session !== 'old', { status: 401, body: '' });
    const clients = twoOn(apple, sessions);
    await Promise.all(clients.flatMap((client) => [client.account(), client.account()]));
    expect(apple.count('GET /session')).toBe(1);
    expect((await sessions.find('i1'))?.generation).toBe(2);
  });

  test('is taken up when the other has renewed it meanwhile', async () => {
    const sessions = createMemorySessions(now);
    await sessions.saveRenewed('i1', 0, 'old');
    const apple = await fakeApple(({ headers }) => {
      if (headers['x-adm-auth-session'] !== 'old') return account;
      void sessions.saveRenewed('i1', 1, 'theirs');
      return { status: 401, body: 'UNAUTHORIZED' };
    });
    await clientOf(apple.baseUrl, { sessions }).account();
    expect(apple.seen.map(({ line, headers }) => [line, headers['x-adm-auth-session']])).toEqual([
      ['GET /account', 'old'],
      ['GET /account', 'theirs'],
    ]);
  });

  test('is renewed by another when the first dies with the claim', async () => {
    let at = now().getTime();
    const sessions = createMemorySessions(() => new Date(at));
    await expect(sessions.claimRenewal('i1', 0, 45)).resolves.toBe(0);
    const apple = await taking(() => true, {});
    const waiting = clientOf(apple.baseUrl, { sessions }).account();
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(apple.seen).toHaveLength(0);
    at += 46_000;
    await waiting;
    expect(apple.count('GET /session')).toBe(1);
  });

  test('goes to the next in line when the first fails', async () => {
    const apple = await fakeApple(({ line }, seen) => {
      if (line !== 'GET /session') return account;
      return seen.length === 1 ? { status: 503, body: '' } : undefined;
    });
    const results = await Promise.allSettled(
      twoOn(apple, createMemorySessions(now)).map((client) => client.account()),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(apple.count('GET /session')).toBe(2);
  });

  test('is let go by a caller who gives up, and still renewed for the others', async () => {
    let answer: (() => void) | undefined;
    const apple = await fakeApple(({ line }) => {
      if (line !== 'GET /session')
        return { body: { cursor: 'c', devices: [], more_to_follow: false } };
      return (response) => {
        answer = () => response.end('{"auth_session_token":"S1"}');
      };
    });
    const client = clientOf(apple.baseUrl);
    const giveUp = new AbortController();
    const page = { cursor: null, limit: 1 };
    const first = client.fetchDevices({ ...page, signal: giveUp.signal });
    const second = client.fetchDevices(page);
    await expect.poll(() => answer).toBeDefined();
    giveUp.abort(new Error('enough'));
    await expect(first).rejects.toThrow('enough');
    answer?.();
    await expect(second).resolves.toMatchObject({ cursor: 'c' });
    expect(apple.count('GET /session')).toBe(1);
  });
});

describe('a token that Apple sends along', () => {
  test.each([
    ['a good answer', 200, { server_uuid: 'U1' }],
    ['a refusal', 400, 'INVALID_CURSOR'],
    ['terms unsigned', 403, 'T_C_NOT_SIGNED'],
    ['trouble', 503, ''],
  ])('with %s is used from then on, by all', async (_, status, body) => {
    const apple = await fakeApple(({ line, headers }) => {
      if (line === 'GET /session') return undefined;
      return headers['x-adm-auth-session'] === 'S1'
        ? { status, body, headers: { 'X-ADM-Auth-Session': 'rotated' } }
        : account;
    });
    const sessions = createMemorySessions(now);
    await clientOf(apple.baseUrl, { sessions })
      .account()
      .catch(() => undefined);
    await clientOf(apple.baseUrl, { sessions }).account();
    expect(apple.seen.map(({ headers }) => headers['x-adm-auth-session'])).toEqual([
      undefined,
      'S1',
      'rotated',
    ]);
  });

  test('with the refusal of a session does not stand in for a new one', async () => {
    const apple = await fakeApple(({ line, headers }) => {
      if (line === 'GET /session') return undefined;
      return headers['x-adm-auth-session'] === 'S2'
        ? account
        : { status: 401, body: '', headers: { 'X-ADM-Auth-Session': 'rotated' } };
    });
    await expect(clientOf(apple.baseUrl).account()).resolves.toBeDefined();
  });

  test('is not worth the answer it came with', async () => {
    const sessions: AdeSessionStore = {
      ...createMemorySessions(now),
      adopt: async () => {
        throw new Error('the database is away');
      },
    };
    const apple = await fakeApple(({ line }) =>
      line === 'GET /session'
        ? undefined
        : { body: { server_uuid: 'U1' }, headers: { 'X-ADM-Auth-Session': 'rotated' } },
    );
    await expect(clientOf(apple.baseUrl, { sessions }).account()).resolves.toBeDefined();
  });
});
