import { inspect } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { now, token } from './fixtures/clients.ts';
import { startFakeApple, type Answer, type FakeApple } from './fixtures/fake-apple.ts';
import { createTokenProbe } from './probe.ts';

const opened: FakeApple[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((apple) => apple.close()));
});

async function probe(answers: Record<string, Answer>) {
  const apple = await startFakeApple(({ line }) => answers[line]);
  opened.push(apple);
  const ask = createTokenProbe({ baseUrl: apple.baseUrl, userAgent: 'acme-mdm/1.2', now });
  return { apple, ask };
}

test('proves a token by a session and the account', async () => {
  const { apple, ask } = await probe({ 'GET /account': { body: { server_uuid: 'U1' } } });
  await expect(ask(token)).resolves.toMatchObject({ account: { serverUuid: 'U1' } });
  await ask({ ...token, consumerKey: 'CK_other' });
  // Nothing is kept from one token to the next.
  expect(apple.count('GET /session')).toBe(2);
  expect(apple.seen[2]?.headers['authorization']).toContain('CK_other');
});

test.each(['GET /session', 'GET /account'])(
  'terms unsigned at %s prove it as well',
  async (line) => {
    const { ask } = await probe({ [line]: { status: 403, body: '"T_C_NOT_SIGNED"' } });
    await expect(ask(token)).resolves.toEqual({ termsNotSigned: true });
  },
);

test.each([
  [401, '', 'superseded_token'],
  [401, 'oauth_problem_adviceUnauthorized', 'superseded_token'],
  [401, 'token_rejected', 'superseded_token'],
  [401, 'signature_invalid', 'superseded_token'],
  [403, 'FORBIDDEN', 'superseded_token'],
  [401, 'token_expired', 'expired_token'],
  [403, 'token_expiredForbidden', 'expired_token'],
  [403, 'ACCESS_DENIED', 'access_denied'],
  [429, '', 'apple_unreachable'],
  [500, '', 'apple_unreachable'],
  [503, '<html>maintenance</html>', 'apple_unreachable'],
  [403, '<html>proxy</html>', 'apple_unreachable'],
  [200, '{"auth_sess', 'apple_unreachable'],
  [200, '{}', 'apple_unreachable'],
  [400, 'USER_AGENT_INVALID', 'apple_refused'],
  [404, '', 'apple_refused'],
])('/session answering %i %j is %s', async (status, body, code) => {
  const { ask } = await probe({ 'GET /session': { status, body } });
  const error = await ask(token).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DomainError);
  expect(error).toMatchObject({ code });
  const told = inspect(error, { depth: 10, showHidden: true });
  for (const secret of Object.values(token).slice(0, 4)) expect(told).not.toContain(secret);
});

test('Apple out of reach says so and when to try again', async () => {
  const headers = { 'Retry-After': '40' };
  const { apple, ask } = await probe({ 'GET /session': { status: 503, body: '', headers } });
  await expect(ask(token)).rejects.toMatchObject({
    code: 'apple_unreachable',
    message: expect.stringContaining('in 40 seconds') as string,
  });
  await apple.close();
  await expect(ask(token)).rejects.toMatchObject({
    code: 'apple_unreachable',
    message: expect.stringContaining('connection refused') as string,
  });
});
