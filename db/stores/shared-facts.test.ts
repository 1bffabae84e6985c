import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { insertIntegration, testActor } from '../../test/factories.ts';
import { newId } from '../new-id.ts';
import { createSealer } from '../sealing.ts';
import { createStores, type Stores } from './index.ts';

/* What several processes write at once. */

let database: TestDatabase;
let stores: Stores;
const now = new Date('2026-02-01T00:00:00Z');
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
beforeAll(async () => {
  database = await createTestDatabase();
  const sealer = createSealer(randomBytes(32).toString('base64'));
  stores = createStores(database, { sealer, now: () => now });
});
afterAll(async () => {
  await database.drop();
});

describe('a session with Apple', () => {
  it('is renewed by one of many, and the others find what it brought', async () => {
    const id = await insertIntegration(database);
    const { adeSessions } = stores;
    const claims = await Promise.all(
      Array.from({ length: 8 }, () => adeSessions.claimRenewal(id, 0, 60)),
    );
    expect(claims.filter((claim) => claim !== null)).toEqual([0]);
    expect(await adeSessions.saveRenewed(id, 0, 'first')).toEqual({
      token: 'first',
      generation: 1,
    });
    expect(await adeSessions.claimRenewal(id, 0, 60)).toBeNull();
    expect(await adeSessions.claimRenewal(id, 1, 60)).toBe(1);
    expect(await adeSessions.claimRenewal(id, 1, 60)).toBeNull();
    await adeSessions.releaseClaim(id, 1);
    expect(await adeSessions.claimRenewal(id, 1, -1)).toBe(1);
    expect(await adeSessions.claimRenewal(id, 1, 60)).toBe(1); // the claim before has run out
    await adeSessions.saveRenewed(id, 1, 'second');
    expect(await adeSessions.saveRenewed(id, 1, 'late')).toEqual({
      token: 'second',
      generation: 2,
    });
  });

  it('is adopted from an answer while it is still the current one', async () => {
    const id = await insertIntegration(database);
    await stores.adeSessions.claimRenewal(id, 0, 60);
    await stores.adeSessions.saveRenewed(id, 0, 'first');
    await stores.adeSessions.adopt(id, 1, 'rotated');
    await stores.adeSessions.adopt(id, 0, 'stale');
    expect(await stores.adeSessions.find(id)).toEqual({ token: 'rotated', generation: 1 });
  });
});

describe('an idempotency key', () => {
  const fingerprint = createHash('sha256').update('one').digest();
  const claim = (apiKeyId: string, key: string, at = now, print: Uint8Array = fingerprint) =>
    stores.idempotency.claim({ apiKeyId, key, fingerprint: print, leaseSeconds: 60, now: at });

  it('lets one of many through and replays its answer to the rest', async () => {
    const apiKeyId = newId();
    const race = await Promise.all(Array.from({ length: 6 }, () => claim(apiKeyId, 'k')));
    expect(race.map((one) => one.outcome).sort()).toEqual([
      ...Array<string>(5).fill('in_progress'),
      'new',
    ]);
    const answer = Uint8Array.from([1, 2, 3]);
    await stores.idempotency.finish({ apiKeyId, key: 'k', answer, now });
    const replay = await claim(apiKeyId, 'k');
    expect(replay).toMatchObject({ outcome: 'replay' });
    expect(replay.outcome === 'replay' && Uint8Array.from(replay.answer)).toEqual(answer);
    const other = createHash('sha256').update('two').digest();
    expect(await claim(apiKeyId, 'k', now, other)).toEqual({ outcome: 'reused' });
    expect(await claim(newId(), 'k')).toEqual({ outcome: 'new' });
  });

  it('is free again after a release, a dead holder, and a day', async () => {
    const apiKeyId = newId();
    await claim(apiKeyId, 'k');
    await stores.idempotency.release({ apiKeyId, key: 'k' });
    expect(await claim(apiKeyId, 'k')).toEqual({ outcome: 'new' });
    expect(await claim(apiKeyId, 'k', later(59))).toEqual({ outcome: 'in_progress' });
    expect(await claim(apiKeyId, 'k', later(60))).toEqual({ outcome: 'new' });
    await stores.idempotency.finish({ apiKeyId, key: 'k', answer: new Uint8Array(1), now });
    expect(await claim(apiKeyId, 'k', later(60 + 86_399))).toMatchObject({ outcome: 'replay' });
    expect(await claim(apiKeyId, 'k', later(60 + 86_400))).toEqual({ outcome: 'new' });
  });
});

describe('an API key', () => {
  const hashOf = (secret: string) => createHash('sha256').update(secret).digest();

  it('is found by its hash until it expires or is revoked', async () => {
    const expiresAt = later(100).toISOString();
    const secretHash = hashOf('operator');
    const made = await stores.apiKeys.create(
      { name: 'op', role: 'operator', expiresAt, secretHash },
      testActor,
    );
    expect(await stores.apiKeys.findByHash(secretHash, later(99))).toMatchObject({
      key: made,
      secretHash,
    });
    expect(await stores.apiKeys.findByHash(secretHash, later(100))).toBeUndefined();
    await stores.apiKeys.revoke(made.id, testActor);
    expect(await stores.apiKeys.findByHash(secretHash, now)).toBeUndefined();
    await expect(stores.apiKeys.revoke(made.id, testActor)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('is ensured once, and the last lasting admin stays', async () => {
    const input = { name: 'first', role: 'admin' as const, secretHash: hashOf('admin') };
    const ensured = await Promise.all([1, 2, 3].map(() => stores.apiKeys.ensure(input)));
    expect(new Set(ensured.map((one) => one.id)).size).toBe(1);
    const [first] = ensured;
    const temporary = { name: 'tmp', role: 'admin' as const, expiresAt: later(9).toISOString() };
    await stores.apiKeys.create({ ...temporary, secretHash: hashOf('tmp') }, testActor);
    await expect(stores.apiKeys.revoke(first!.id, testActor)).rejects.toMatchObject({
      code: 'conflict',
    });
    const second = await stores.apiKeys.create(
      { name: 'second', role: 'admin', expiresAt: null, secretHash: hashOf('second') },
      testActor,
    );
    const race = await Promise.allSettled(
      [first!.id, second.id].map((id) => stores.apiKeys.revoke(id, testActor)),
    );
    expect(race.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('notes its use once a minute', async () => {
    const made = await stores.apiKeys.create(
      { name: 'used', role: 'viewer', expiresAt: null, secretHash: hashOf('used') },
      testActor,
    );
    const lastUse = async () =>
      (await stores.apiKeys.list({ limit: 100, cursor: null })).items.find(
        (key) => key.id === made.id,
      )?.lastUsedAt;
    await stores.apiKeys.markUsed(made.id, now);
    await stores.apiKeys.markUsed(made.id, later(59));
    expect(await lastUse()).toBe(now.toISOString());
    await stores.apiKeys.markUsed(made.id, later(61));
    expect(await lastUse()).toBe(later(61).toISOString());
  });
});

describe('calls to Apple', () => {
  it('of all processes add up', async () => {
    const tally = {
      endpoint: '/devices/sync',
      code: 'ok',
      upToSeconds: 0.05,
      calls: 2,
      seconds: 0.5,
    };
    const slow = { ...tally, code: 'TOO_MANY_REQUESTS', upToSeconds: null, calls: 1 };
    await Promise.all(
      Array.from({ length: 5 }, (_, n) =>
        stores.appleCalls.add(n % 2 ? [tally, slow] : [slow, tally], now),
      ),
    );
    expect(await stores.appleCalls.totals()).toEqual([
      { ...slow, calls: 5, seconds: 2.5 },
      { ...tally, calls: 10, seconds: 2.5 },
    ]);
  });
});

describe('the audit trail', () => {
  it('can be followed while others write, and misses nothing', async () => {
    await database.sql`truncate audit_events`;
    const writers = Array.from({ length: 20 }, (_, n) =>
      stores.apiKeys.create(
        { name: `key ${n}`, role: 'viewer', expiresAt: null, secretHash: randomBytes(32) },
        testActor,
      ),
    );
    const seen: string[] = [];
    const follow = async () => {
      const { items } = await stores.audit.list({ limit: 7, cursor: seen.at(-1) ?? null });
      seen.push(...items.map((item) => item.id));
      return items.length;
    };
    const progress = { written: 0 };
    for (const writer of writers) void writer.then(() => (progress.written += 1));
    while (progress.written < writers.length) await follow();
    while ((await follow()) > 0);
    expect(seen).toHaveLength(20);
    expect(new Set(seen).size).toBe(20);
  });
});
