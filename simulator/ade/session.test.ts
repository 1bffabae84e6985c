import { describe, expect, test } from 'vitest';
import { connect } from '../connected.ts';
import { createRawClient } from '../raw-client.ts';

const said = async (answer: Response) => [answer.status, await answer.text()];

describe('GET /session', () => {
  test('a rightly signed request gets a session token', async () => {
    const { client } = await connect();

    const answer = await client.requestSession();

    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      auth_session_token: expect.stringMatching(/^\d{13}O1O[0-9A-F]{32}$/) as string,
    });
  });

  test('the published vector is accepted', async () => {
    const { simulator, server } = await connect({}, 0, () => 1_700_000_000_000);
    server.token = {
      consumerKey: 'CK_0123456789abcdef',
      consumerSecret: 'CS_fedcba9876543210',
      accessToken: 'AT_O1111111111O2222O1737111741000',
      accessSecret: 'AS_00112233445566778899',
      expiresAt: 1_800_000_000,
      admin: 'admin@example.org',
    };
    const header = [
      'realm="ADM"',
      'oauth_consumer_key="CK_0123456789abcdef"',
      'oauth_nonce="4d3c2b1a"',
      'oauth_signature="L58wnfxpVZH7qrxSQpz3rggWyc4%3D"',
      'oauth_signature_method="HMAC-SHA1"',
      'oauth_timestamp="1700000000"',
      'oauth_token="AT_O1111111111O2222O1737111741000"',
      'oauth_version="1.0"',
    ].join(', ');

    const answer = await simulator.fetch(
      new Request('https://mdmenrollment.apple.com/session', {
        headers: { authorization: `OAuth ${header}`, 'user-agent': 'vector/1' },
      }),
    );

    expect(answer.status).toBe(200);
  });

  test.each([
    ['a wrong signature', { oauth_signature: 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }, 401],
    ['an unknown consumer key', { oauth_consumer_key: 'CK_nobody' }, 401],
    ['an unknown token', { oauth_token: 'AT_nothing' }, 401],
    [
      'a clock that is an hour slow',
      { oauth_timestamp: `${Math.floor(Date.now() / 1000) - 3600}` },
      401,
    ],
    ['no nonce', { oauth_nonce: undefined }, 400],
    ['no token', { oauth_token: undefined }, 400],
    ['a parameter that OAuth does not have', { oauth_callback: 'oob' }, 400],
    ['another signature method', { oauth_signature_method: 'PLAINTEXT' }, 400],
    ['another version', { oauth_version: '2.0' }, 400],
    ['a timestamp that is no number', { oauth_timestamp: 'now' }, 400],
  ])('%s is refused', async (_, changes, status) => {
    const { client } = await connect();
    expect((await client.requestSession(changes)).status).toBe(status);
  });

  test('a parameter that comes twice is refused', async () => {
    const { simulator } = await connect();
    const answer = await simulator.fetch(
      new Request('http://apple.test/session', {
        headers: {
          'user-agent': 'x/1',
          authorization: 'OAuth oauth_nonce="a", oauth_nonce="b"',
        },
      }),
    );
    expect(await said(answer)).toEqual([400, 'oauth_problem_adviceBad Request']);
  });

  test('a nonce works once', async () => {
    const { client } = await connect();

    expect((await client.requestSession({ oauth_nonce: 'once' })).status).toBe(200);
    expect(await said(await client.requestSession({ oauth_nonce: 'once' }))).toEqual([
      401,
      'oauth_problem_adviceUnauthorized',
    ]);
  });

  test('a newer download ends the older token and its sessions at once', async () => {
    const { simulator, server, client } = await connect();

    const token = simulator.world.downloadToken(server, 'admin@example.org');

    expect(await said(await client.requestSession())).toEqual([401, 'token_rejected']);
    expect(await said(await client.call('GET', '/account'))).toEqual([403, 'FORBIDDEN']);
    const next = createRawClient(simulator.fetch, token);
    expect((await next.requestSession()).status).toBe(200);
  });

  test('a token that has run out gets no session, and its sessions end with it', async () => {
    const { simulator, client } = await connect({ sessionLifetimeSeconds: 1e9 });
    simulator.world.clock.advance(366 * 24 * 3600);

    expect(await said(await client.requestSession())).toEqual([401, 'token_expired']);
    expect(await said(await client.call('GET', '/account'))).toEqual([403, 'FORBIDDEN']);
  });

  test('POST is the wrong method', async () => {
    const { client } = await connect();
    expect((await client.call('POST', '/session', {})).status).toBe(405);
  });
});

describe('every other call', () => {
  test('needs a session that Apple knows', async () => {
    const { client } = await connect();
    const with_ = (session: string | null) =>
      client.call('GET', '/account', undefined, { 'x-adm-auth-session': session });

    expect(await said(await with_(null))).toEqual([401, 'UNAUTHORIZED']);
    expect(await said(await with_('made up'))).toEqual([403, 'FORBIDDEN']);
    expect((await with_(client.session)).status).toBe(200);
  });

  test('loses its session when its time is over', async () => {
    const { simulator, client } = await connect({ sessionLifetimeSeconds: 60 });

    simulator.world.clock.advance(59);
    expect((await client.call('GET', '/account')).status).toBe(200);
    simulator.world.clock.advance(2);
    expect(await said(await client.call('GET', '/account'))).toEqual([401, 'UNAUTHORIZED']);
  });

  test('loses its session to a newer one where only one may be open', async () => {
    const { client } = await connect({ parallelSessions: false });
    const older = client.session;
    await client.openSession();

    const answer = await client.call('GET', '/account', undefined, { 'x-adm-auth-session': older });
    expect(await said(answer)).toEqual([403, 'FORBIDDEN']);
  });

  test('waits for new terms to be accepted', async () => {
    const { simulator, server, client } = await connect();
    server.organization.termsAccepted = false;

    expect(await said(await client.requestSession())).toEqual([403, 'T_C_NOT_SIGNED']);
    expect(await said(await client.call('GET', '/account'))).toEqual([403, 'T_C_NOT_SIGNED']);
    simulator.world.organizations[0]!.termsAccepted = true;
    expect((await client.call('GET', '/account')).status).toBe(200);
  });

  test.each([
    ['no User-Agent', { 'user-agent': null }, 'USER_AGENT_MISSING'],
    ['a blank User-Agent', { 'user-agent': ' ' }, 'USER_AGENT_MISSING'],
    ['a library as User-Agent', { 'user-agent': 'undici' }, 'USER_AGENT_INVALID'],
    ['a User-Agent that Apple has blocked', { 'user-agent': 'NanoDEP/0.5' }, 'USER_AGENT_INVALID'],
    [
      'utf-8 instead of UTF8',
      { 'content-type': 'application/json; charset=utf-8' },
      'MALFORMED_REQUEST_BODY',
    ],
    ['no content type', { 'content-type': 'text/plain' }, 'MALFORMED_REQUEST_BODY'],
    [
      'a protocol version that is no number',
      { 'x-server-protocol-version': 'ten' },
      'MALFORMED_REQUEST_BODY',
    ],
  ])('is refused with %s', async (_, headers, code) => {
    const { client } = await connect();
    const answer = await client.call('POST', '/server/devices', { limit: 1 }, headers);
    expect(await said(answer)).toEqual([400, code]);
  });

  test.each([
    ['{"limit":'],
    ['[]'],
    ['"text"'],
    ['{"limit":"10"}'],
    ['{"limit":1001}'],
    ['{"limit":0}'],
  ])('is refused with the body %s', async (body) => {
    const { client } = await connect();
    const answer = await client.call('POST', '/server/devices', body);
    expect(await said(answer)).toEqual([400, 'MALFORMED_REQUEST_BODY']);
  });
});

describe('GET /account', () => {
  test('names server, organization and limits', async () => {
    const { client, server } = await connect();

    const account = await (await client.call('GET', '/account')).json();

    expect(account).toMatchObject({
      server_uuid: server.uuid,
      server_name: 'Ours',
      admin_id: server.organization.admin,
      org_id_hash: server.organization.idHash,
      org_type: 'org',
    });
    expect(JSON.stringify(account)).toContain('"limit":{"default":1000,"maximum":1000}');
  });

  test('says nothing of the organization id below version 3', async () => {
    const { client } = await connect();
    const headers = { 'x-server-protocol-version': '2' };
    const account = await (await client.call('GET', '/account', undefined, headers)).json();
    expect(account).not.toHaveProperty('org_id_hash');
    expect(account).not.toHaveProperty('urls');
  });
});
