import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { AdeError } from '../apple/ade/errors.ts';
import { newId } from '../db/new-id.ts';
import { createSyncRunStore } from '../db/stores/sync-runs.ts';
import { createSyncStore } from '../db/stores/sync.ts';
import type { AdeClient, AdeCode, DevicePage } from '../domain/ade.ts';
import type { SyncBlock } from '../domain/sync.ts';
import { createTestDatabase, type TestDatabase } from '../test/database.ts';
import { appleDevice, devicePage, insertIntegration } from '../test/factories.ts';
import { createWalkDevicePages } from './walk-device-pages.ts';
import type { WalkInput } from './walk-input.ts';

let database: TestDatabase;
let integrationId: string;
let refusal: AdeCode | null;
let now: Date;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  now = new Date('2026-02-01T00:00:00Z');
  integrationId = await insertIntegration(database, { server_uuid: newId() });
});

test('a first fetch waits in its one run until the terms are signed, and then reports every device', async () => {
  refusal = 'T_C_NOT_SIGNED';
  let block: SyncBlock | null = null;
  for (let probe = 0; probe < 4; probe += 1) {
    expect(await walk(block)).toMatchObject({ outcome: 'blocked', block: 'terms_not_signed' });
    block = 'terms_not_signed';
    expect(await runs()).toMatchObject([
      { mode: 'full', state: 'waiting', waitingFor: 'terms_not_signed', finishedAt: null },
    ]);
  }
  const [first] = await runs();

  refusal = null;
  expect(await walk(block)).toMatchObject({ outcome: 'finished' });
  expect(await runs()).toMatchObject([
    { id: first?.id, state: 'succeeded', mode: 'full', added: 2, waitingFor: null, error: null },
  ]);
});

test('a token that Apple rejects leaves one failed run, however often it is probed', async () => {
  refusal = 'ACCESS_DENIED';
  expect(await walk(null)).toMatchObject({ outcome: 'blocked', block: 'token_rejected' });
  for (let probe = 0; probe < 3; probe += 1) {
    expect(await walk('token_rejected')).toMatchObject({ outcome: 'blocked', run: null });
    expect(await runs()).toMatchObject([{ state: 'failed', error: { code: 'token_rejected' } }]);
  }
});

test('unsigned terms between two deltas leave nothing open', async () => {
  refusal = null;
  await walk(null);
  refusal = 'T_C_NOT_SIGNED';
  await walk(null);
  await walk('terms_not_signed');
  await walk('terms_not_signed');
  expect((await runs()).map((run) => run.state)).toEqual(['failed', 'succeeded']);
});

async function walk(block: SyncBlock | null) {
  now = new Date(now.getTime() + 3_600_000);
  const answer = async (page: DevicePage) => {
    if (refusal === null) return page;
    throw new AdeError(refusal, { endpoint: 'GET /session', status: 403, detail: '' });
  };
  const devices = [appleDevice({ serial: newId() }), appleDevice({ serial: newId() })];
  const ade = {
    fetchDevices: () => answer(devicePage(devices, 'fetched')),
    syncDevices: () => answer(devicePage([], `synced ${newId()}`)),
  } as unknown as AdeClient;
  const walkDevicePages = createWalkDevicePages({
    sync: createSyncStore(database),
    ade: () => ade,
    now: () => now,
    random: () => 0,
    logger: pino({ level: 'silent' }),
  });
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const input: WalkInput = {
    integrationId,
    runId: newId(),
    trigger: 'schedule',
    position: null,
    restarted: false,
    failures: 0,
    block,
  };
  return environment.run(walkDevicePages, input);
}

async function runs() {
  const page = await createSyncRunStore(database).list(integrationId, { limit: 10, cursor: null });
  return page.items;
}
