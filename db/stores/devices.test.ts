import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device, DeviceFilter } from '../../domain/device.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { createDatabase } from '../client.ts';
import { newId } from '../new-id.ts';
import { createDeviceStore } from './devices.ts';

let database: TestDatabase;
let store: ReturnType<typeof createDeviceStore>;
let all: Device[];
const integrations = [newId(), newId()] as const;

beforeAll(async () => {
  database = await createTestDatabase();
  store = createDeviceStore(database);
  // 6000 devices of two integrations: more than a look along the primary key passes.
  await database.sql`
    insert into devices (serial, integration_id, presence, assignment_state, enrollment_state, os,
      family, model, description, asset_tag, attributes, first_seen_at, updated_at)
    select upper(substr(md5(n::text), 1, 10)) || to_char(n, 'FM0000'),
      case when n % 3 = 0 then ${integrations[0]} else ${integrations[1]} end::uuid,
      case when n % 50 = 0 then 'removed' else 'present' end,
      case when n % 997 = 0 then 'failed' when n % 2 = 0 then 'assigned' else 'unassigned' end,
      case when n % 1500 = 7 then 'enrolled' else 'not_enrolled' end,
      case n % 4 when 0 then 'ios' when 1 then 'ipados' when 2 then 'macos' else 'tvos' end,
      case n % 4 when 0 then 'iPhone' when 1 then 'iPad' when 2 then 'Mac' else '' end,
      'MODEL', case when n % 100 = 5 then null else 'IPHONE ' || (n % 40) || ' Pro 100% _x' end,
      case when n % 10 = 0 then 'Tag-' || n end, '{}', now(), now()
    from generate_series(1, 6000) n`;
  await database.sql`analyze devices`;
  all = [];
  for await (const chunk of store.stream({})) all.push(...chunk);
});
afterAll(async () => {
  await database.drop();
});

describe('the list', () => {
  it('holds every device once, in order of serial', async () => {
    expect(all).toHaveLength(6000);
    expect(await listAll({}, 777)).toEqual(all);
    const serials = all.map((device) => device.serial);
    expect(serials).toEqual([...serials].sort());
  });

  const [first] = integrations;
  it.each<[string, DeviceFilter, (device: Device) => boolean]>([
    ['integration', { integrationId: first }, (d) => d.integrationId === first],
    ['os', { os: 'macos' }, (d) => d.os === 'macos'],
    ['family', { family: 'iPad' }, (d) => d.family === 'iPad'],
    ['presence', { presence: 'removed' }, (d) => d.presence === 'removed'],
    [
      'a rare state',
      { assignment: 'failed' },
      (d) => d.assignment.state === 'failed' && d.presence !== 'removed',
    ],
    ['a state nobody has', { assignment: 'throttled' }, () => false],
    ['enrollment', { enrollment: 'enrolled' }, (d) => d.enrollment.state === 'enrolled'],
    [
      'several together',
      { integrationId: first, os: 'ios', assignment: 'assigned', presence: 'removed' },
      (d) =>
        d.integrationId === first &&
        d.os === 'ios' &&
        d.assignment.state === 'assigned' &&
        d.presence === 'removed',
    ],
    ['what excludes itself', { os: 'ios', family: 'Mac' }, () => false],
    ['an id that is none', { integrationId: 'nonsense' }, () => false],
    ['a profile', { profileId: newId() }, (d) => d.profile !== null],
    ['a group', { groupId: newId() }, (d) => d.groups.length > 0],
    ['a profile and more', { profileId: newId(), os: 'ios', q: 'iphone' }, () => false],
    ['words of the description', { q: 'pro IPHONE 3' }, (d) => has(d, 'pro', 'iphone', '3')],
    ['a percent sign as it is', { q: '100%' }, (d) => has(d, '100%')],
    ['an underscore as it is', { q: '_x' }, (d) => has(d, '_x')],
    ['an asset tag in any case', { q: 'tAG-4990' }, (d) => d.assetTag === 'Tag-4990'],
    [
      'words and a state',
      { q: 'iphone 7', assignment: 'failed' },
      (d) => has(d, 'iphone', '7') && d.assignment.state === 'failed' && d.presence !== 'removed',
    ],
    ['nothing to be found', { q: 'no such thing' }, () => false],
    ['blank', { q: '   ' }, () => true],
  ])('by %s finds the same, page by page and as a stream', async (_title, filter, matches) => {
    const expected = all.filter(matches).map((device) => device.serial);
    expect((await listAll(filter, 50)).map((device) => device.serial)).toEqual(expected);
    const streamed: string[] = [];
    for await (const chunk of store.stream(filter)) streamed.push(...chunk.map((d) => d.serial));
    expect(streamed).toEqual(expected);
  });

  it('by the beginning of a serial, in any case, alone and with a filter', async () => {
    const q = all[3000]!.serial.slice(0, 2).toLowerCase();
    const starts = all.filter((device) => device.serial.startsWith(q.toUpperCase()));
    expect(starts.length).toBeGreaterThan(5);
    expect(await listAll({ q }, 4)).toEqual(starts);
    expect(await listAll({ q, os: 'ios' }, 4)).toEqual(starts.filter((d) => d.os === 'ios'));
    expect(await listAll({ q: all[3000]!.serial }, 4)).toEqual([all[3000]]);
  });

  it('refuses a cursor that is not its own', async () => {
    for (const cursor of ['x', 'W10', Buffer.from('["v1",7]').toString('base64url')])
      await expect(store.list({}, { limit: 1, cursor })).rejects.toMatchObject({
        code: 'invalid_request',
      });
  });
});

describe('a stream', () => {
  it('shows every device once, whatever is written meanwhile', async () => {
    const seen: string[] = [];
    const changed = all.map((device) => device.serial).filter((_serial, n) => n % 97 === 0);
    for await (const chunk of store.stream({})) {
      seen.push(...chunk.map((device) => device.serial));
      await database.sql`update devices set color = color || '.' where serial = any(${changed})`;
      await database.sql`
        insert into devices select (jsonb_populate_record(d, jsonb_build_object('serial', ' ' || ${seen.length}::text))).*
        from devices d limit 1`;
    }
    await database.sql`delete from devices where serial like ' %'`;
    await database.sql`update devices set color = rtrim(color, '.') where serial = any(${changed})`;
    expect(seen).toEqual(all.map((device) => device.serial));
  });

  it('that nobody reads on holds no connection', async () => {
    const stalled = Array.from({ length: 20 }, () => store.stream({})[Symbol.asyncIterator]());
    const first = await Promise.all(stalled.map((stream) => stream.next()));
    expect(first.every((one) => one.done !== true && one.value.length > 0)).toBe(true);
    expect(await store.find(all[0]!.serial)).toEqual(all[0]);
    const one = createDatabase(database.url, { max: 2 });
    const narrow = createDeviceStore(one);
    const alone = narrow.stream({})[Symbol.asyncIterator]();
    await alone.next();
    expect(await narrow.find(all[0]!.serial)).toEqual(all[0]);
    expect((await alone.next()).done).toBe(false);
    await one.close();
  });
});

describe('a timeline', () => {
  it('is newest first and ends in the first sight, page by page', async () => {
    const serial = all[0]!.serial;
    for (let n = 0; n < 5; n += 1)
      await database.sql`
        insert into device_events (serial, at, kind, changes) values (${serial}, now(), 'modified', '{}')`;
    for (const limit of [1, 2, 3, 5, 6, 10]) {
      const kinds: string[] = [];
      let cursor: string | null = null;
      do {
        const page: Awaited<ReturnType<typeof store.timeline>> = await store.timeline(serial, {
          limit,
          cursor,
        });
        kinds.push(...page.items.map((item) => item.kind));
        cursor = page.nextCursor;
      } while (cursor !== null);
      expect(kinds).toEqual([...Array<string>(5).fill('modified'), 'added']);
    }
  });

  it('of an unknown device is empty', async () => {
    expect(await store.timeline('NOBODY', { limit: 5, cursor: null })).toEqual({
      items: [],
      nextCursor: null,
    });
    expect(await store.find('NOBODY\0')).toBeUndefined();
  });
});

function has(device: Device, ...words: string[]): boolean {
  return words.every((word) => device.description?.toLowerCase().includes(word));
}

async function listAll(filter: DeviceFilter, limit: number): Promise<Device[]> {
  const devices: Device[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof store.list>> = await store.list(filter, {
      limit,
      cursor,
    });
    devices.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return devices;
}
