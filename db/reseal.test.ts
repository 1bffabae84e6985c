import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/database.ts';
import { testActor } from '../test/factories.ts';
import { resealAll } from './reseal.ts';
import { createSealer } from './sealing.ts';
import { createStores } from './stores/index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});

const newKey = () => randomBytes(32).toString('base64');
const now = () => new Date('2026-02-01T00:00:00Z');
const key = { certificatePem: 'CERT', privateKeyPem: 'PRIVATE' };
const token = {
  consumerKey: 'CK',
  consumerSecret: 'CS',
  accessToken: 'AT',
  accessSecret: 'AS',
  expiresAt: '2027-01-01T00:00:00.000Z',
};

test('after a rotation the old key is not needed, and a second one finds nothing to do', async () => {
  const [old, current] = [newKey(), newKey()];
  const before = createStores(database, { sealer: createSealer(old), now });
  const ids: string[] = [];
  for (let n = 0; n < 120; n += 1) {
    const input = { name: `School ${n}`, notifyEmails: [], pageSize: 100, key };
    ids.push((await before.integrations.create(input, testActor)).id);
  }
  const first = ids[0]!;
  await before.integrations.activateToken(
    {
      integrationId: first,
      certificatePem: key.certificatePem,
      replaces: null,
      token,
      account: null,
      now: now(),
    },
    testActor,
  );
  const claimed = await before.adeSessions.claimRenewal(first, 0, 30);
  await before.adeSessions.saveRenewed(first, claimed ?? -1, 'SESSION');

  expect(await resealAll(database, createSealer(current, [old]))).toEqual([
    { table: 'integration_keys', resealed: 120, left: 0 },
    { table: 'server_tokens', resealed: 1, left: 0 },
    { table: 'ade_sessions', resealed: 1, left: 0 },
  ]);

  const after = createStores(database, { sealer: createSealer(current), now });
  expect(await after.integrations.findToken(first)).toEqual(token);
  expect(await after.integrations.listKeys(ids.at(-1)!)).toEqual([{ role: 'current', ...key }]);
  expect(await after.adeSessions.find(first)).toEqual({ token: 'SESSION', generation: 2 });
  await expect(before.integrations.findToken(first)).rejects.toThrow(/ENCRYPTION_KEYS_OLD/);

  const again = await resealAll(database, createSealer(current));
  expect(again.map(({ resealed, left }) => resealed + left)).toEqual([0, 0, 0]);
});

test('a key that is missing is named, and what was done stays done', async () => {
  const stranger = createSealer(newKey());
  await expect(resealAll(database, stranger)).rejects.toThrow(
    /Add that key to ENCRYPTION_KEYS_OLD/,
  );
});
