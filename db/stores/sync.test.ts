import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppleDevice } from '../../domain/device.ts';
import { StaleWalkError, type SyncPosition, type SyncRun } from '../../domain/sync.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import {
  appleDevice,
  deletedDevice,
  devicePage,
  insertIntegration,
  operation,
} from '../../test/factories.ts';
import { createDatabase, type Database } from '../client.ts';
import { newId } from '../new-id.ts';
import { createDeviceStore } from './devices.ts';
import { createSyncStore } from './sync.ts';

let database: TestDatabase;
let sync: ReturnType<typeof createSyncStore>;
let integrationId: string;
let now: Date;
beforeAll(async () => {
  database = await createTestDatabase();
  sync = createSyncStore(database);
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  now = new Date('2026-02-01T00:00:00Z');
  await database.sql`truncate devices, device_events, integrations cascade`;
  integrationId = await insertIntegration(database);
});

describe('a page', () => {
  it('of a full fetch adds its devices and remembers them for the end', async () => {
    const walk = await begin();
    expect(walk.run).toMatchObject({ mode: 'full', state: 'running', trigger: 'schedule' });
    const page = await apply(
      walk,
      [appleDevice({ serial: 'A' }), appleDevice({ serial: 'B' })],
      'c1',
    );
    expect(page.counts).toEqual({ added: 2, modified: 0, removed: 0, unchanged: 0 });
    expect(page.run).toMatchObject({ pages: 1, added: 2 });
    expect(await states()).toEqual({ A: 'present', B: 'present' });
    expect(await database.sql`select serials from walk_pages`).toEqual([{ serials: ['A', 'B'] }]);
    expect(await database.sql`select 1 from device_events`).toHaveLength(0);
  });

  it('applied twice changes nothing the second time', async () => {
    const devices = [
      appleDevice({ serial: 'A', operation: operation('added', '2026-01-05T00:00:00Z') }),
      appleDevice({ serial: 'B', operation: operation('modified', null) }),
      deletedDevice('C', '2026-01-05T00:00:00Z'),
    ];
    const walk = await atDelta([
      appleDevice({ serial: 'B', color: 'BLUE' }),
      appleDevice({ serial: 'C' }),
    ]);
    const first = await apply(walk, devices, 'd1');
    expect(first.counts).toEqual({ added: 1, modified: 1, removed: 1, unchanged: 0 });
    const before = await database.sql`select *, xmin from devices order by serial`;
    const second = await apply(first, devices, 'd2');
    expect(second.counts).toEqual({ added: 0, modified: 0, removed: 0, unchanged: 3 });
    expect(await database.sql`select *, xmin from devices order by serial`).toEqual(before);
    expect(await database.sql`select 1 from device_events`).toHaveLength(2);
  });

  it('is refused when another attempt has moved on, and writes nothing', async () => {
    const walk = await begin();
    await apply(walk, [appleDevice({ serial: 'A' })], 'c1');
    const late = apply(walk, [appleDevice({ serial: 'B' })], 'c1');
    await expect(late).rejects.toThrow(StaleWalkError);
    expect(await states()).toEqual({ A: 'present' });
  });

  it('of two racing attempts is written once', async () => {
    const walk = await begin();
    const race = await Promise.allSettled(
      Array.from({ length: 6 }, () => apply(walk, [appleDevice({ serial: 'A' })], 'c1')),
    );
    expect(race.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    for (const one of race)
      if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(StaleWalkError);
    expect(await database.sql`select pages, added from sync_runs`).toEqual([
      { pages: 1, added: 1 },
    ]);
  });
});

describe('newest operation', () => {
  it('wins over an older one in a later page', async () => {
    const walk = await atDelta([appleDevice({ serial: 'A' })]);
    const one = await apply(
      walk,
      [
        appleDevice({
          serial: 'A',
          color: 'NEW',
          operation: operation('modified', '2026-01-09T00:00:00Z'),
        }),
      ],
      'd1',
    );
    const two = await apply(
      one,
      [
        appleDevice({
          serial: 'A',
          color: 'OLD',
          operation: operation('modified', '2026-01-08T00:00:00Z'),
        }),
      ],
      'd2',
    );
    expect(two.counts.unchanged).toBe(1);
    expect(await device('A')).toMatchObject({ color: 'NEW' });
    await apply(two, [deletedDevice('A', '2026-01-07T00:00:00Z')], 'd3');
    expect(await states()).toEqual({ A: 'present' });
  });

  it('is remembered also when it changed no fact', async () => {
    const same = appleDevice({ serial: 'A' });
    const walk = await atDelta([same]);
    const one = await apply(
      walk,
      [{ ...same, operation: operation('modified', '2026-01-09T00:00:00Z') }],
      'd1',
    );
    expect(one.counts.unchanged).toBe(1);
    await apply(one, [deletedDevice('A', '2026-01-08T00:00:00Z')], 'd2');
    expect(await states()).toEqual({ A: 'present' });
  });

  it('of the same second is the deletion', async () => {
    const walk = await atDelta([appleDevice({ serial: 'A' }), appleDevice({ serial: 'B' })]);
    const at = '2026-01-09T00:00:00Z';
    const page = await apply(
      walk,
      [
        deletedDevice('A', at),
        appleDevice({ serial: 'A', operation: operation('modified', at) }),
        appleDevice({ serial: 'B', operation: operation('modified', at) }),
      ],
      'd1',
    );
    expect(await states()).toEqual({ A: 'removed', B: 'present' });
    await apply(
      page,
      [appleDevice({ serial: 'A', operation: operation('added', at) }), deletedDevice('B', at)],
      'd2',
    );
    expect(await states()).toEqual({ A: 'removed', B: 'removed' });
  });

  it('is not overwritten by a full fetch, which brings facts but no date', async () => {
    const walk = await atDelta([appleDevice({ serial: 'A' })]);
    await apply(
      walk,
      [appleDevice({ serial: 'A', operation: operation('modified', '2026-01-09T00:00:00Z') })],
      'd1',
    );
    await database.sql`update sync_positions set phase = 'fetch', cursor = null, walk_id = null`;
    const full = await begin();
    await apply(full, [appleDevice({ serial: 'A', color: 'FETCHED' })], 'c1');
    const [row] = await database.sql`select color, op_at from devices`;
    expect(row).toEqual({ color: 'FETCHED', op_at: new Date('2026-01-09T00:00:00Z') });
  });
});

describe('a deletion', () => {
  it('keeps the facts and says so in the timeline', async () => {
    const walk = await atDelta([appleDevice({ serial: 'A', assetTag: 'TAG-1' })]);
    await apply(walk, [deletedDevice('A', '2026-01-09T00:00:00Z')], 'd1');
    expect(await device('A')).toMatchObject({
      presence: 'removed',
      removed_at: new Date('2026-01-09T00:00:00Z'),
      asset_tag: 'TAG-1',
      family: 'iPad',
    });
    expect(await events('A')).toEqual([
      { kind: 'removed', changes: { presence: { from: 'present', to: 'removed' } } },
    ]);
  });

  it('of a device that we never had makes no row', async () => {
    const walk = await atDelta([]);
    const page = await apply(walk, [deletedDevice('A', '2026-01-09T00:00:00Z')], 'd1');
    expect(page.counts).toEqual({ added: 0, modified: 0, removed: 0, unchanged: 1 });
    expect(await states()).toEqual({});
  });

  it('in the page that added the device leaves it removed, with its facts', async () => {
    const walk = await atDelta([]);
    const page = await apply(
      walk,
      [
        appleDevice({ serial: 'A', operation: operation('added', '2026-01-08T00:00:00Z') }),
        deletedDevice('A', '2026-01-09T00:00:00Z'),
      ],
      'd1',
    );
    expect(page.counts).toEqual({ added: 1, modified: 0, removed: 1, unchanged: 0 });
    expect(await device('A')).toMatchObject({ presence: 'removed', family: 'iPad' });
  });

  it('is undone when the device comes back', async () => {
    const walk = await atDelta([appleDevice({ serial: 'A' })]);
    const gone = await apply(walk, [deletedDevice('A', '2026-01-09T00:00:00Z')], 'd1');
    const back = await apply(
      gone,
      [
        appleDevice({
          serial: 'A',
          profileStatus: 'removed',
          operation: operation('added', '2026-01-10T00:00:00Z'),
        }),
      ],
      'd2',
    );
    expect(back.counts.added).toBe(1);
    expect(await device('A')).toMatchObject({ presence: 'present', removed_at: null });
    expect((await events('A')).at(-1)).toEqual({
      kind: 'returned',
      changes: {
        presence: { from: 'removed', to: 'present' },
        profileStatus: { from: 'empty', to: 'removed' },
      },
    });
  });
});

describe('a device of another integration', () => {
  it('is taken over when Apple assigned it here later, and keeps its history', async () => {
    await atDelta([appleDevice({ serial: 'A', assignedAt: '2026-01-01T00:00:00Z' })]);
    const other = await insertIntegration(database);
    const walk = await begin({ integrationId: other });
    const page = await apply(
      walk,
      [appleDevice({ serial: 'A', assignedAt: '2026-01-05T00:00:00Z' })],
      'x1',
    );
    expect(page.counts.added).toBe(1);
    expect(await device('A')).toMatchObject({
      integration_id: other,
      first_seen_at: now,
      assigned_at: new Date('2026-01-05T00:00:00Z'),
    });
    const [event] = await events('A');
    expect(event).toMatchObject({
      kind: 'moved',
      changes: { integrationId: { from: integrationId, to: other } },
    });
  });

  it('stays where it is when the other list is older, and ignores the old owner', async () => {
    const old = await atDelta([appleDevice({ serial: 'A', assignedAt: '2026-01-01T00:00:00Z' })]);
    const other = await insertIntegration(database);
    const walk = await begin({ integrationId: other });
    await apply(walk, [appleDevice({ serial: 'A', assignedAt: '2026-01-05T00:00:00Z' })], 'x1');
    const gone = await apply(old, [deletedDevice('A', '2026-01-09T00:00:00Z')], 'd1');
    expect(gone.counts).toEqual({ added: 0, modified: 0, removed: 0, unchanged: 1 });
    await apply(
      gone,
      [
        appleDevice({
          serial: 'A',
          assignedAt: '2026-01-01T00:00:00Z',
          operation: operation('modified', '2026-01-10T00:00:00Z'),
        }),
      ],
      'd2',
    );
    expect(await device('A')).toMatchObject({ integration_id: other, presence: 'present' });
  });

  it('is taken over whatever the date once it was removed there', async () => {
    const old = await atDelta([appleDevice({ serial: 'A', assignedAt: '2026-01-05T00:00:00Z' })]);
    await apply(old, [deletedDevice('A', '2026-01-09T00:00:00Z')], 'd1');
    const other = await insertIntegration(database);
    await apply(await begin({ integrationId: other }), [appleDevice({ serial: 'A' })], 'x1');
    expect(await device('A')).toMatchObject({ integration_id: other, presence: 'present' });
  });
});

describe('the end of a full fetch', () => {
  it('removes what was not seen, reports the difference and turns to the delta', async () => {
    const devices = ['A', 'B', 'C'].map((serial) => appleDevice({ serial }));
    await atDelta(devices);
    await database.sql`update sync_runs set state = 'succeeded'`;
    now = new Date('2026-02-09T00:00:00Z');
    const walk = await begin();
    expect(walk.run).toMatchObject({ mode: 'full', trigger: 'reconcile' });
    const page = await apply(
      walk,
      [
        appleDevice({ serial: 'A' }),
        appleDevice({ serial: 'B', color: 'BLUE' }),
        appleDevice({ serial: 'D' }),
      ],
      'c9',
    );
    const end = await sync.finishFetch({ run: page.run, from: page.position, now });
    expect(end.removed).toBe(1);
    expect(end.position).toEqual({ phase: 'sync', cursor: 'c9', walkId: null });
    expect(end.run).toMatchObject({ added: 1, modified: 1, removed: 1, unchanged: 1 });
    expect(end.run.report).toEqual({
      added: { count: 1, sample: ['D'] },
      changed: { count: 1, sample: ['B'] },
      removed: { count: 1, sample: ['C'] },
    });
    expect(await states()).toEqual({ A: 'present', B: 'present', C: 'removed', D: 'present' });
    expect(await events('C')).toHaveLength(1);
    expect(await database.sql`select 1 from walk_pages`).toHaveLength(0);
  });

  it('leaves alone what was written since the walk began, by our clock', async () => {
    await atDelta([appleDevice({ serial: 'A' })]);
    await database.sql`update sync_runs set state = 'succeeded'`;
    now = new Date('2026-02-09T00:00:00Z');
    const page = await apply(await begin(), [], 'c9');
    await database.sql`update devices set updated_at = '2026-02-09T00:00:01Z'`;
    const end = await sync.finishFetch({ run: page.run, from: page.position, now });
    expect(end.removed).toBe(0);
    expect(await states()).toEqual({ A: 'present' });
  });

  it('marks removed also what Apple dates after the walk, by a clock ahead of ours', async () => {
    await atDelta([appleDevice({ serial: 'A' })]);
    await database.sql`update sync_runs set state = 'succeeded'`;
    await database.sql`update devices set op_at = '2026-03-01'`;
    now = new Date('2026-02-09T00:00:00Z');
    const page = await apply(await begin(), [], 'c9');
    const end = await sync.finishFetch({ run: page.run, from: page.position, now });
    expect(end.removed).toBe(1);
    expect(await states()).toEqual({ A: 'removed' });
  });

  it('is reached once', async () => {
    const page = await apply(await begin(), [appleDevice({ serial: 'A' })], 'c1');
    const ends = await Promise.allSettled(
      [1, 2].map(() => sync.finishFetch({ run: page.run, from: page.position, now })),
    );
    expect(ends.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a refused cursor', () => {
  it('starts a new walk in the same run and forgets the pages of the old one', async () => {
    const page = await apply(await begin(), [appleDevice({ serial: 'A' })], 'c1');
    const again = await sync.restartFetch({ run: page.run, from: page.position, now });
    expect(again.position).toMatchObject({ phase: 'fetch', cursor: null });
    expect(again.position.walkId).not.toBe(page.position.walkId);
    expect(again.run).toMatchObject({ id: page.run.id, mode: 'full' });
    expect(await database.sql`select 1 from walk_pages`).toHaveLength(0);
  });

  it('turns a delta that is not written yet into a written full run', async () => {
    const idle = await idleDelta();
    const again = await sync.restartFetch({ run: idle.run, from: idle.position, now });
    expect(await database.sql`select mode from sync_runs where id = ${again.run.id}`).toEqual([
      { mode: 'full' },
    ]);
  });
});

describe('an idle scheduled delta', () => {
  it('inserts no row, and updates one in place', async () => {
    // A database and one connection of its own: the statistics then count nothing else.
    const own = await createTestDatabase();
    const quiet = createDatabase(own.url, { max: 2 });
    const store = createSyncStore(quiet);
    const id = await insertIntegration(quiet);
    await quiet.sql`
      update sync_positions set phase = 'sync', cursor = 'd', last_full_at = ${now}`;
    const before = await writes(quiet);

    const begun = await store.begin({
      integrationId: id,
      runId: newId(),
      trigger: 'schedule',
      now,
    });
    if (begun.outcome !== 'walk') throw new Error(begun.outcome);
    const { run, position: from } = begun;
    const page = await store.applyPage({ run, from, page: devicePage([], 'd'), now });
    const end = await store.finishRun({ run: page.run, state: 'succeeded', error: null, now });

    const after = await writes(quiet);
    expect(end).toMatchObject({ state: 'succeeded', pages: 1, finishedAt: now.toISOString() });
    expect(after).toEqual({ ...before, updated: before.updated + 1, hot: before.hot + 1 });
    expect(await quiet.sql`select cursor, cursor_at, last_checked_at from sync_positions`).toEqual([
      { cursor: 'd', cursor_at: now, last_checked_at: now },
    ]);
    await quiet.close();
    await own.drop();
  });

  it('is written by its first page with devices', async () => {
    const idle = await idleDelta();
    const empty = await apply(idle, [], 'd1', true);
    const page = await apply(empty, [deletedDevice('A', null)], 'd2');
    expect(page.run).toMatchObject({ id: idle.run.id, pages: 2, removed: 1 });
    const run = await sync.finishRun({ run: page.run, state: 'succeeded', error: null, now });
    expect(await database.sql`select state, pages from sync_runs where id = ${run.id}`).toEqual([
      { state: 'succeeded', pages: 2 },
    ]);
  });

  it('is written when it must wait, and when it fails', async () => {
    const idle = await idleDelta();
    const waitingFor = { code: 'apple_unreachable', message: 'Apple does not answer.' };
    const waiting = await sync.markWaiting({ run: idle.run, waitingFor, nextAttemptAt: now, now });
    expect(waiting).toMatchObject({
      state: 'waiting',
      waitingFor: 'apple_unreachable',
      nextAttemptAt: now.toISOString(),
    });
    const resumed = await begin();
    expect(resumed.run).toMatchObject({ id: idle.run.id, state: 'running', waitingFor: null });
    const error = { code: 'apple_refused', message: 'no' };
    const failed = await sync.finishRun({ run: resumed.run, state: 'failed', error, now });
    expect(failed).toMatchObject({ state: 'failed', error });
    const again = await idleDelta();
    await sync.finishRun({ run: again.run, state: 'failed', error, now });
    expect(
      await database.sql`select 1 from sync_runs where state = 'failed' and error_code = 'apple_refused'`,
    ).toHaveLength(2);
  });
});

describe('text that PostgreSQL cannot keep', () => {
  it('is stored without it', async () => {
    const walk = await begin();
    const device = appleDevice({
      serial: 'A\0B',
      description: 'nul \0 and half \ud83d a pair',
      assetTag: 'quote " backslash \\ brace {} comma , NULL',
      attributes: { eid: 'x\0y', imei: ['1\ud83d', '2'] },
    });
    await apply(walk, [device, appleDevice({ serial: 'NULL', assetTag: 'NULL', color: '' })], 'c1');
    expect(await device_('AB')).toMatchObject({
      description: 'nul  and half  a pair',
      asset_tag: 'quote " backslash \\ brace {} comma , NULL',
      attributes: { eid: 'xy', imei: ['1', '2'] },
    });
    expect(await device_('NULL')).toMatchObject({ asset_tag: 'NULL' });
  });

  it('is kept however long it is, the indexed ones up to a length', async () => {
    const long = (n = 2500) => randomBytes(n).toString('hex').toUpperCase();
    const serial = long();
    const odd = appleDevice({
      serial,
      family: long(),
      model: long(),
      description: `WORD ${long()}`,
      color: long(),
      assetTag: '\u{1F4A9}'.repeat(2500),
      assignedBy: long(),
      profileUuid: long(),
      attributes: { eid: long(), imei: [long()] },
    });
    const twin = { ...odd, serial: `${serial.slice(0, -1)}X` };
    const edge = appleDevice({
      serial: '\u{20AC}'.repeat(64),
      family: '\u{20AC}'.repeat(100),
      description: '\u{20AC}'.repeat(400),
      assetTag: '\u{20AC}'.repeat(400),
    });
    const walk = await begin();
    const one = await apply(walk, [odd, twin, edge, appleDevice({ serial: 'A' })], 'c1', true);
    expect(one.counts.added).toBe(4);
    const two = await apply(one, [odd, twin, edge], 'c2');
    expect(two.counts).toEqual({ added: 0, modified: 0, removed: 0, unchanged: 3 });
    const done = await sync.finishFetch({ run: two.run, from: two.position, now });
    expect(done.removed).toBe(0);

    const kept = `${serial.slice(0, 47)}~`;
    const found = (await database.sql`select * from devices where starts_with(serial, ${kept})`)[0];
    expect(found).toMatchObject({ color: odd.color, attributes: odd.attributes });
    expect(found?.['description']).toBe(`${odd.description?.slice(0, 399)}…`);
    expect(found?.['asset_tag']).toBe(`${'\u{1F4A9}'.repeat(199)}…`);
    const store = createDeviceStore(database);
    const list = await store.list({ q: 'word' }, { limit: 1, cursor: null });
    const next = await store.list({ q: 'word' }, { limit: 1, cursor: list.nextCursor });
    expect([...list.items, ...next.items].map((one) => one.serial.startsWith(kept))).toEqual([
      true,
      true,
    ]);
    expect(await store.find(list.items[0]!.serial.toUpperCase())).toEqual(list.items[0]);
  });
  const device_ = (serial: string) => device(serial);
});

interface Walk {
  run: SyncRun;
  position: SyncPosition;
}

async function begin(input: { integrationId?: string } = {}): Promise<Walk> {
  const begun = await sync.begin({
    integrationId: input.integrationId ?? integrationId,
    runId: newId(),
    trigger: 'schedule',
    now,
  });
  if (begun.outcome !== 'walk') throw new Error(begun.outcome);
  return begun;
}

function apply(walk: Walk, devices: AppleDevice[], cursor: string, more = false) {
  const page = devicePage(devices, cursor, more);
  return sync.applyPage({ run: walk.run, from: walk.position, page, now });
}

/** A run at the end of a full fetch of these devices. */
async function atDelta(devices: AppleDevice[]): Promise<Walk> {
  const page = await apply(await begin(), devices, 'c0');
  return sync.finishFetch({ run: page.run, from: page.position, now });
}

/** A new scheduled delta over one device, `A`. */
async function idleDelta(): Promise<Walk> {
  const walk = await atDelta([appleDevice({ serial: 'A' })]).catch(() => null);
  if (walk) await sync.finishRun({ run: walk.run, state: 'succeeded', error: null, now });
  const idle = await begin();
  expect(idle.run).toMatchObject({ mode: 'delta', trigger: 'schedule' });
  return idle;
}

async function states(): Promise<Record<string, string>> {
  const rows = await database.sql<{ serial: string; presence: string }[]>`
    select serial, presence from devices order by serial`;
  return Object.fromEntries(rows.map((row) => [row.serial, row.presence]));
}

async function device(serial: string) {
  const [row] = await database.sql`select * from devices where serial = ${serial}`;
  return row;
}

async function events(serial: string) {
  return [
    ...(await database.sql`
      select kind, changes from device_events where serial = ${serial} order by id`),
  ];
}

/** Rows written so far by the one connection of a client. */
async function writes({ sql }: Pick<Database, 'sql'>) {
  await sql`select pg_stat_force_next_flush()`;
  const [row] = await sql<[{ inserted: number; updated: number; hot: number }]>`
    select sum(n_tup_ins)::int as inserted, sum(n_tup_upd)::int as updated,
      sum(n_tup_hot_upd)::int as hot
    from pg_stat_user_tables`;
  return row;
}
