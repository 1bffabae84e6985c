import { describe, expect, test } from 'vitest';
import { hashApiKey } from '../api-key-secret.ts';
import { startApp } from '../../test/api/harness.ts';
import { FailedKeys } from './failed-keys.ts';

describe('a key', () => {
  test.each([
    'Basic Z21rOg==',
    'Bearer',
    'Bearer ',
    'Bearer a b',
    'gmk_admin_admin_admin_admin_admin',
    `Bearer ${'x'.repeat(600)}`,
    'Bearer gmk_admin_admin_admin_admin_admim',
  ])('given as %s is 401', async (authorization) => {
    const { ask } = await startApp();

    const answer = await ask('GET', 'integrations', { key: null, headers: { authorization } });

    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
  });

  test('may be named by "bearer" in any case', async () => {
    const { ask } = await startApp();
    const headers = { authorization: 'bearer gmk_viewer_viewer_viewer_viewer' };

    expect((await ask('GET', 'integrations', { key: null, headers })).status).toBe(200);
  });

  test('is taken only when its stored hash is the hash of what was sent, byte for byte', async () => {
    const { ask, apiKeys } = await startApp();
    const real = { ...apiKeys };
    let spoil = (stored: Uint8Array) => stored;
    apiKeys.findByHash = async (hash, now) => {
      const found = await real.findByHash(hash, now);
      return found && { ...found, secretHash: spoil(found.secretHash) };
    };
    expect((await ask('GET', 'integrations')).status).toBe(200);

    spoil = (stored) => stored.with(31, (stored[31] ?? 0) ^ 1);
    expect((await ask('GET', 'integrations')).status).toBe(401);
    spoil = (stored) => stored.slice(0, 31);
    expect((await ask('GET', 'integrations')).status).toBe(401);
  });

  test('that has expired is 401', async () => {
    const { ask, apiKeys } = await startApp();
    await apiKeys.create(
      {
        name: 'old',
        role: 'admin',
        expiresAt: '2026-06-01T12:00:00.000Z',
        secretHash: hashApiKey('gmk_old'),
      },
      { kind: 'system', id: null, name: 'test', requestId: null },
    );

    expect((await ask('GET', 'integrations', { key: 'gmk_old' })).status).toBe(401);
  });

  test('is marked as used once a minute, and a mark that fails keeps nobody out', async () => {
    const { ask, apiKeys } = await startApp();
    await ask('GET', 'integrations');
    await ask('GET', 'integrations');
    expect(apiKeys.uses).toHaveLength(1);

    apiKeys.markUsed = () => Promise.reject(new Error('x'));
    expect(
      (await ask('GET', 'integrations', { key: 'gmk_viewer_viewer_viewer_viewer' })).status,
    ).toBe(200);
  });
});

describe('wrong keys', () => {
  const wrong = { key: 'gmk_wrong' };

  test('from one address end in 429, while a key that is known to work goes on working', async () => {
    const { ask, apiKeys } = await startApp();
    expect((await ask('GET', 'integrations')).status).toBe(200);
    for (let n = 0; n < 20; n += 1)
      expect((await ask('GET', 'integrations', wrong)).status).toBe(401);
    let lookups = 0;
    const real = { ...apiKeys };
    apiKeys.findByHash = async (hash, now) => {
      lookups += 1;
      return real.findByHash(hash, now);
    };

    const answer = await ask('GET', 'integrations', wrong);

    expect(answer).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(lookups).toBe(0);
    expect((await ask('GET', 'integrations')).status).toBe(200);
  });

  test('are forgotten after a minute, and never more of them are kept than fit', () => {
    const failed = new FailedKeys();
    const at = (second: number) => new Date(second * 1000);
    for (let n = 0; n < 20; n += 1) failed.note('10.0.0.1', at(0));

    expect(failed.waitSeconds('10.0.0.1', at(30))).toBe(30);
    expect(failed.waitSeconds('10.0.0.2', at(30))).toBe(0);
    expect(failed.waitSeconds('10.0.0.1', at(61))).toBe(0);

    for (let n = 0; n < 12_000; n += 1) failed.note(`a${n}`, at(0));
    expect(failed.size).toBe(10_000);
  });
});
