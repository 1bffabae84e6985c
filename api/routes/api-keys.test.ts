import { describe, expect, test } from 'vitest';
import { startApp } from '../../test/api/harness.ts';

describe('a new key', () => {
  test('shows its secret once, works, and is stored as a hash', async () => {
    const { ask, apiKeys, log } = await startApp();

    const { status, body } = await ask('POST', 'api-keys', {
      json: { name: 'ci', role: 'viewer', expiresAt: '2026-07-01T02:00:00+02:00' },
    });
    const secret = String(body['secret']);
    const list = await ask('GET', 'api-keys');
    const used = await ask('GET', 'integrations', { key: secret });

    expect(status).toBe(201);
    expect(body).toMatchObject({
      name: 'ci',
      role: 'viewer',
      expiresAt: '2026-07-01T00:00:00.000Z',
    });
    expect(secret).toMatch(/^gmk_[\w-]{43}$/);
    expect(used.status).toBe(200);
    expect(list.text).not.toContain(secret);
    expect(JSON.stringify([...apiKeys.rows.values()])).not.toContain(secret);
    expect(log.join('')).not.toContain(secret);
  });

  test('repeated under one Idempotency-Key is one key with one secret, sealed while it is kept', async () => {
    const { ask, apiKeys, idempotency } = await startApp();
    const repeat = async () =>
      ask('POST', 'api-keys', {
        json: { name: 'ci', role: 'viewer' },
        headers: { 'idempotency-key': 'one' },
      });

    const first = await repeat();
    const second = await repeat();

    expect(second.body).toEqual(first.body);
    expect(apiKeys.rows.size).toBe(4);
    const kept = [...idempotency.rows.values()].map(({ answer }) => Buffer.from(answer ?? []));
    expect(Buffer.concat(kept).toString('latin1')).not.toContain('secret');
  });

  test.each([
    [{ name: 'ci', role: 'root' }, 'role'],
    [{ name: 'ci' }, 'role'],
    [{ role: 'viewer' }, 'name'],
    [{ name: 'ci', role: 'viewer', expiresAt: '2026-05-01T00:00:00Z' }, 'expiresAt'],
    [{ name: 'ci', role: 'viewer', expiresAt: 'tomorrow' }, 'expiresAt'],
    [{ name: 'ci', role: 'viewer', secret: 'mine' }, 'secret'],
  ])('from %j is refused at %s', async (json, path) => {
    const { ask, apiKeys } = await startApp();

    const answer = await ask('POST', 'api-keys', { json });

    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
    expect(apiKeys.rows.size).toBe(3);
  });
});

test('a revoked key does not work from then on', async () => {
  const { ask } = await startApp();
  const { body } = await ask('POST', 'api-keys', { json: { name: 'ci', role: 'viewer' } });
  const key = String(body['secret']);
  expect((await ask('GET', 'integrations', { key })).status).toBe(200);

  expect((await ask('DELETE', `api-keys/${String(body['id'])}`)).status).toBe(204);

  expect((await ask('GET', 'integrations', { key })).status).toBe(401);
  expect((await ask('DELETE', `api-keys/${String(body['id'])}`)).status).toBe(404);
});
