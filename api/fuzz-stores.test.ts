import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiKeyStore } from '../db/stores/api-keys.ts';
import { createAppleCallStore } from '../db/stores/apple-calls.ts';
import { createAuditStore } from '../db/stores/audit.ts';
import { createDeviceStore } from '../db/stores/devices.ts';
import { createIdempotencyStore } from '../db/stores/idempotency.ts';
import { createIntegrationStore } from '../db/stores/integrations.ts';
import { createSyncRunStore } from '../db/stores/sync-runs.ts';
import { createSealer } from '../db/sealing.ts';
import { startApp, secrets } from '../test/api/harness.ts';
import { createTestDatabase, type TestDatabase } from '../test/database.ts';
import { hashApiKey } from './api-key-secret.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});

async function withRealStores() {
  const now = () => new Date();
  const sealer = createSealer(Buffer.alloc(32, 1).toString('base64'));
  const apiKeys = createApiKeyStore({ ...database, now });
  await apiKeys.ensure({ name: 'fuzz', role: 'admin', secretHash: hashApiKey(secrets.admin) });
  const started = await startApp({
    apiKeys,
    integrations: createIntegrationStore({ ...database, sealer, now }),
    syncRuns: createSyncRunStore(database),
    devices: createDeviceStore(database),
    audit: createAuditStore(database),
    idempotency: createIdempotencyStore(database),
    appleCalls: createAppleCallStore(database),
    now,
  });
  return started;
}

const someText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom('%', '_', '\\', "'", '\u0000', '99999999999999999999', '-1', 'null'),
);
/** Cursors that look like ours and are not. */
const forged = fc
  .oneof(
    fc.jsonValue().map((value) => JSON.stringify(value)),
    someText,
  )
  .map((text) => Buffer.from(text).toString('base64url'));

test('no query and no body of a stranger makes a statement fail', async () => {
  const { ask, log } = await withRealStores();
  const made = await ask('POST', 'integrations', { json: { name: 'A' } });
  const id = String(made.body['id']);

  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        ...['integrations', 'devices', 'devices.csv', 'events', 'api-keys'],
        `integrations/${id}/sync-runs`,
      ),
      fc.constantFrom('cursor', 'after', 'q', 'family', 'integrationId', 'profileId', 'groupId'),
      fc.oneof(someText, forged),
      async (path, name, value) => {
        const { status } = await ask(
          'GET',
          `${path}?${new URLSearchParams({ [name]: value }).toString()}`,
        );
        expect([200, 400]).toContain(status);
      },
    ),
    { numRuns: 400 },
  );
  await fc.assert(
    fc.asyncProperty(someText, someText, async (name, key) => {
      const json = { name, notifyEmails: [] };
      const headers = /^[\x21-\x7e]+$/.test(key) ? { 'idempotency-key': key } : undefined;
      const changed = await ask('PATCH', `integrations/${id}`, {
        json,
        ...(headers ? { headers } : {}),
      });
      expect([200, 400, 422]).toContain(changed.status);
      const device = await ask('GET', `devices/${encodeURIComponent(name)}`);
      expect([200, 400, 404]).toContain(device.status);
    }),
    { numRuns: 100 },
  );
  expect(log.join('')).not.toContain('unexpectedly');
});
