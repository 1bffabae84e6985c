import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Integration } from '../../domain/integration.ts';
import type { AdeAccount, ServerToken } from '../../domain/token.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { appleDevice, devicePage, testActor } from '../../test/factories.ts';
import { newId } from '../new-id.ts';
import { createSealer } from '../sealing.ts';
import { createStores, type Stores } from './index.ts';

const now = new Date('2026-02-01T00:00:00Z');
const key = { certificatePem: 'CERT-1', privateKeyPem: 'PRIVATE-1' };
const token: ServerToken = {
  consumerKey: 'CK_visible_consumer_key',
  consumerSecret: 'CS_visible_consumer_secret',
  accessToken: 'AT_visible_access_token',
  accessSecret: 'AS_visible_access_secret',
  expiresAt: '2027-01-01T00:00:00.000Z',
};
const account: AdeAccount = {
  serverName: 'Our server',
  serverUuid: 'UUID-1',
  adminId: 'admin@example.com',
  organization: {
    name: 'School',
    id: '1',
    email: null,
    phone: null,
    address: null,
    type: 'edu',
    version: 'v2',
  },
  orgIdHash: 'HASH-1',
  fetchLimit: 500,
  syncLimit: 200,
};

let database: TestDatabase;
let stores: Stores;
beforeAll(async () => {
  database = await createTestDatabase();
  const sealer = createSealer(randomBytes(32).toString('base64'));
  stores = createStores(database, { sealer, now: () => now });
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  await database.sql`truncate integrations, devices, device_events, audit_events cascade`;
});

describe('an integration', () => {
  it('starts without a token, at page size and name as given, and is in the trail', async () => {
    const made = await create();
    expect(made).toMatchObject({ name: 'School', pageSize: 100, tokenState: 'none', token: null });
    expect(await stores.integrations.get(made.id)).toEqual(made);
    const { items } = await stores.audit.list({ limit: 10, cursor: null });
    expect(items).toMatchObject([
      { action: 'integration.created', actor: testActor, object: { id: made.id }, before: null },
    ]);
  });

  it('is changed by a patch, and a patch that changes nothing leaves no event', async () => {
    const { id } = await create();
    await stores.integrations.update(id, { name: 'New name' }, testActor);
    await stores.integrations.update(id, { name: 'New name', pageSize: 100 }, testActor);
    expect(await stores.integrations.get(id)).toMatchObject({ name: 'New name', pageSize: 100 });
    expect(await actions()).toEqual(['integration.created', 'integration.updated']);
  });

  it('is paused once and resumed once, however often it is asked', async () => {
    const { id } = await create();
    for (const paused of [true, true, false, false])
      await stores.integrations.markPaused(id, paused, testActor);
    expect(await actions()).toEqual([
      'integration.created',
      'integration.paused',
      'integration.resumed',
    ]);
  });

  it('is listed in order of age, page by page', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await create()).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: Integration[]; nextCursor: string | null } =
        await stores.integrations.list({ limit: 2, cursor });
      seen.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual([...ids].sort());
  });

  it('that is not there is not found, also by an id that is none', async () => {
    await expect(stores.integrations.get(newId())).rejects.toMatchObject({ code: 'not_found' });
    await expect(stores.integrations.get('nonsense')).rejects.toMatchObject({ code: 'not_found' });
    await expect(stores.integrations.list({ limit: 1, cursor: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('takes everything with it when it goes, and nothing of another', async () => {
    const [gone, stays] = [await withDevices('A'), await withDevices('B')];
    await stores.integrations.delete(gone, testActor);
    await expect(stores.integrations.delete(gone, testActor)).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await stores.devices.find('A')).toBeUndefined();
    expect(await stores.devices.find('B')).toMatchObject({ integrationId: stays });
    for (const table of ['integration_keys', 'sync_positions', 'sync_runs', 'walk_pages'])
      expect(
        await database.sql`select 1 from ${database.sql(table)} where integration_id = ${gone}`,
      ).toHaveLength(0);
  });
});

describe('secrets at rest', () => {
  it('show nothing in any table', async () => {
    const { id } = await activated();
    await stores.integrations.saveStagedKey(
      id,
      { certificatePem: 'CERT-2', privateKeyPem: 'PRIVATE-2' },
      testActor,
    );
    await renewSession(id, 'SESSION-visible');
    const tables = await database.sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public'`;
    for (const { name } of tables) {
      const rows = await database.sql`select t::text as row from ${database.sql(name)} t`;
      const text = rows.map((row) => String(row['row'])).join('\n');
      // bytea shows as hexadecimal, so both forms are looked for
      for (const secret of ['visible', 'PRIVATE-'])
        for (const form of [secret, Buffer.from(secret).toString('hex')])
          expect(text).not.toContain(form);
    }
  });

  it('come back as they were', async () => {
    const { id } = await activated();
    expect(await stores.integrations.findToken(id)).toEqual(token);
    expect(await stores.integrations.listKeys(id)).toEqual([{ role: 'current', ...key }]);
  });
});

describe('a new token', () => {
  it('of a staged key makes that key the current one', async () => {
    const { id } = await create();
    const staged = { certificatePem: 'CERT-2', privateKeyPem: 'PRIVATE-2' };
    await stores.integrations.saveStagedKey(id, { ...staged, privateKeyPem: 'old' }, testActor);
    await stores.integrations.saveStagedKey(id, staged, testActor);
    expect((await stores.integrations.listKeys(id)).map((one) => one.role)).toEqual([
      'staged',
      'current',
    ]);
    await activate(id, { certificatePem: 'CERT-2' });
    expect(await stores.integrations.listKeys(id)).toEqual([{ role: 'current', ...staged }]);
  });

  it('made for a staged key that was replaced meanwhile is refused and changes nothing', async () => {
    const { id } = await activated();
    await stores.integrations.saveStagedKey(
      id,
      { certificatePem: 'CERT-2', privateKeyPem: 'PRIVATE-2' },
      testActor,
    );
    await stores.integrations.saveStagedKey(
      id,
      { certificatePem: 'CERT-3', privateKeyPem: 'PRIVATE-3' },
      testActor,
    );
    const before = await facts(id);
    const late = activate(id, {
      certificatePem: 'CERT-2',
      token: { ...token, accessToken: 'AT_2' },
    });
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect(await facts(id)).toEqual(before);
  });

  it('is not overwritten by an older one that was being checked at the same time', async () => {
    const { id, token: replaces } = await activated();
    const newer = { ...token, accessToken: 'AT_newer', expiresAt: '2027-01-01T00:00:09.000Z' };
    const older = { ...token, accessToken: 'AT_older', expiresAt: '2027-01-01T00:00:08.000Z' };
    const before = new Date(now.getTime() + 1000);
    await activate(id, { token: newer, replaces, now: before });
    const taken = await facts(id);
    await expect(activate(id, { token: older, replaces })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(await facts(id)).toEqual(taken);
    // The same file, sent twice at once, is fine.
    await activate(id, { token: newer, replaces });
    expect(await stores.integrations.findToken(id)).toEqual(newer);
  });

  it('and a deletion at once end in one or the other, never in a deadlock', async () => {
    for (let round = 0; round < 12; round += 1) {
      const { id } = await create();
      await activate(id, { account: null });
      const race = await Promise.allSettled([
        activate(id),
        stores.integrations.delete(id, testActor),
        activate(id),
      ]);
      expect(race[1].status).toBe('fulfilled');
      for (const one of race)
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'not_found' });
      expect(await stores.integrations.find(id)).toBeUndefined();
    }
  });

  it('brings the facts of the account', async () => {
    const { id } = await activated();
    expect(await stores.integrations.get(id)).toMatchObject({
      tokenState: 'valid',
      token: { expiresAt: token.expiresAt, uploadedAt: now.toISOString() },
      serverUuid: 'UUID-1',
      organization: account.organization,
      fetchLimit: 500,
    });
  });

  it('of unsigned terms keeps what is known of the account', async () => {
    const { id } = await activated();
    await activate(id, { account: null });
    expect(await stores.integrations.get(id)).toMatchObject({
      tokenState: 'terms_not_signed',
      serverUuid: 'UUID-1',
    });
  });

  it('of the same server keeps the cursor and drops the session', async () => {
    const id = await withDevices('A');
    await activate(id);
    await database.sql`update sync_positions set phase = 'sync', cursor = 'kept'`;
    const old = await renewSession(id, 'session');
    await activate(id);
    expect(await database.sql`select cursor from sync_positions`).toEqual([{ cursor: 'kept' }]);
    expect(await stores.adeSessions.find(id)).toBeUndefined();
    // What a process still holds of the old session is not taken back.
    await stores.adeSessions.adopt(id, old.generation, 'late');
    await stores.adeSessions.saveRenewed(id, old.generation, 'late');
    expect(await stores.adeSessions.find(id)).toBeUndefined();
  });

  it('ends a renewal that is under way with the old one, the very first too', async () => {
    for (const begin of ['the first session', 'the next']) {
      const { id } = await create();
      await activate(id, { account: null });
      const { adeSessions } = stores;
      if (begin === 'the next') await activate(id, { account: null });
      const late = await adeSessions.claimRenewal(id, 0, 30);
      await activate(id, { account: null });
      expect(await adeSessions.claimRenewal(id, 0, 30)).toBe((late ?? 0) + 1);
      await adeSessions.releaseClaim(id, late ?? 0);
      expect(await adeSessions.claimRenewal(id, 0, 30)).toBeNull();
      await adeSessions.saveRenewed(id, late ?? 0, 'of the old token');
      await adeSessions.saveRenewed(id, 0, 'of the old token');
      expect(await adeSessions.find(id)).toBeUndefined();
      await adeSessions.saveRenewed(id, (late ?? 0) + 1, 'of the new token');
      expect(await adeSessions.find(id)).toMatchObject({ token: 'of the new token' });
    }
  });

  it.each([
    [
      'another organization',
      { orgIdHash: 'HASH-2', serverUuid: 'UUID-2' },
      'different_organization',
    ],
    ['another server', { serverUuid: 'UUID-2' }, 'different_server'],
  ])('of %s is refused and changes nothing', async (_title, difference, code) => {
    const { id } = await activated();
    const before = await stores.integrations.get(id);
    const refused = activate(id, {
      account: { ...account, ...difference },
      token: { ...token, accessToken: 'other' },
    });
    await expect(refused).rejects.toMatchObject({ code });
    expect(await stores.integrations.get(id)).toEqual(before);
    expect(await stores.integrations.findToken(id)).toEqual(token);
  });

  it('of a server that another integration has is refused', async () => {
    await activated();
    const { id } = await create();
    await expect(activate(id)).rejects.toMatchObject({ code: 'server_already_connected' });
    expect(await stores.integrations.findToken(id)).toBeNull();
  });

  it('for one server in two integrations at once is taken by one of them', async () => {
    const ids = [(await create()).id, (await create()).id];
    const race = await Promise.allSettled(ids.map((id) => activate(id)));
    expect(race.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(race.find((one) => one.status === 'rejected')?.reason).toMatchObject({
      code: 'server_already_connected',
    });
  });

  it('and a page that is being written do not wait for each other for ever', async () => {
    const { id } = await create();
    await activate(id, { account: null });
    const walk = await begin(id);
    await Promise.all([
      ...Array.from({ length: 5 }, () => activate(id)),
      stores.sync
        .applyPage({
          run: walk.run,
          from: walk.position,
          page: devicePage([appleDevice({ serial: 'A' })], 'c1'),
          now,
        })
        .catch(() => undefined),
    ]);
    expect((await stores.integrations.get(id)).serverUuid).toBe('UUID-1');
  });
});

describe('counts and overview', () => {
  it('count by state, removed ones apart', async () => {
    const { id } = await activated();
    const walk = await begin(id);
    const states = ['assigned', 'pushed', 'removed', 'empty'] as const;
    const devices = states.map((profileStatus, n) =>
      appleDevice({ serial: `S${n}`, profileStatus }),
    );
    const page = devicePage(devices, 'c1');
    await stores.sync.applyPage({ run: walk.run, from: walk.position, page, now });
    await database.sql`update devices set presence = 'removed' where serial = 'S3'`;
    await database.sql`update devices set enrollment_state = 'enrolled' where serial = 'S0'`;
    expect(await stores.integrations.counts(id)).toEqual({
      devices: 3,
      assigned: 2,
      unassigned: 1,
      pending: 0,
      failed: 0,
      enrolled: 1,
      removed: 1,
    });
  });

  it('tell of a run while it is open and after', async () => {
    const { id } = await activated();
    expect(await stores.integrations.overview(id)).toMatchObject({ state: 'idle', lastRun: null });
    const walk = await begin(id);
    expect(await stores.integrations.overview(id)).toMatchObject({
      state: 'running',
      mode: 'full',
    });
    const run = await stores.sync.finishRun({
      run: walk.run,
      state: 'succeeded',
      error: null,
      now,
    });
    expect(await stores.integrations.overview(id)).toMatchObject({
      state: 'idle',
      lastRun: { id: run.id },
      lastCheckedAt: now.toISOString(),
      nextRunAt: '2026-02-01T00:05:00.000Z',
    });
  });
});

function create(): Promise<Integration> {
  return stores.integrations.create(
    { name: 'School', notifyEmails: ['it@example.com'], pageSize: 100, key },
    testActor,
  );
}

type Activation = Parameters<Stores['integrations']['activateToken']>[0];

async function activate(id: string, overrides: Partial<Activation> = {}): Promise<Integration> {
  const { certificatePem } = key;
  const { token: replaces } = await stores.integrations.get(id);
  return stores.integrations.activateToken(
    { integrationId: id, certificatePem, replaces, token, account, now, ...overrides },
    testActor,
  );
}

async function activated(): Promise<Integration> {
  return activate((await create()).id);
}

async function begin(integrationId: string) {
  const begun = await stores.sync.begin({
    integrationId,
    runId: newId(),
    trigger: 'token',
    now,
  });
  if (begun.outcome !== 'walk') throw new Error(begun.outcome);
  return begun;
}

/** An integration in the middle of its first walk, with one device. */
async function withDevices(serial: string): Promise<string> {
  const { id } = await create();
  await activate(id, { account: { ...account, serverUuid: `UUID-${serial}` } });
  const walk = await begin(id);
  const page = devicePage([appleDevice({ serial })], 'c1', true);
  await stores.sync.applyPage({ run: walk.run, from: walk.position, page, now });
  await database.sql`
    update integrations set server_uuid = null where id = ${id}`;
  return id;
}

async function actions(): Promise<string[]> {
  const { items } = await stores.audit.list({ limit: 100, cursor: null });
  return items.map((item) => item.action);
}

async function renewSession(id: string, session: string) {
  const claimed = await stores.adeSessions.claimRenewal(id, 0, 30);
  return stores.adeSessions.saveRenewed(id, claimed ?? -1, session);
}

/** What an upload may change. */
async function facts(id: string) {
  const { integrations } = stores;
  return {
    integration: await integrations.get(id),
    token: await integrations.findToken(id),
    keys: await integrations.listKeys(id),
  };
}
