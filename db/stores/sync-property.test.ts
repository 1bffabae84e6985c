import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
import { newId } from '../new-id.ts';
import { createSyncStore } from './sync.ts';

/*
 * Pages of a delta in any order of operations, with repeats and crashes and two attempts at once, end
 * in the state of a model that takes entry after entry.
 */

interface Entry {
  serial: string;
  type: 'added' | 'modified' | 'deleted';
  /** Seconds; null: undated. */
  at: number | null;
  color: string;
}

type Step =
  | { kind: 'page'; entries: Entry[] }
  /** The page before comes once more, from Apple or from an attempt that did not know better. */
  | { kind: 'repeat' }
  | { kind: 'late' }
  /** Two attempts write the same page. */
  | { kind: 'race'; entries: Entry[] };

const entry = fc.record({
  serial: fc.constantFrom('A', 'B', 'C', 'D'),
  type: fc.constantFrom('added' as const, 'modified' as const, 'deleted' as const),
  at: fc.integer({ min: 0, max: 8 }),
  color: fc.constantFrom('RED', 'BLUE', 'GREEN'),
});
// A page without dates at all, or with all of them: what a mixture means is in merge-entries.test.ts.
const entries: fc.Arbitrary<Entry[]> = fc
  .tuple(fc.array(entry, { maxLength: 6 }), fc.integer({ min: 0, max: 4 }))
  .map(([list, dice]) => (dice === 0 ? list.map((one) => ({ ...one, at: null })) : list));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: entries.map((list): Step => ({ kind: 'page', entries: list })) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'repeat' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'late' }) },
  { weight: 1, arbitrary: entries.map((list): Step => ({ kind: 'race', entries: list })) },
);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});

test('any interleaving of pages ends in the state of the model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      await database.sql`truncate devices, device_events, integrations cascade`;
      const model = new Model();
      await play(steps, model);
      expect(await stored()).toEqual(model.devices());
    }),
    { numRuns: 100 },
  );
});

async function play(steps: Step[], model: Model): Promise<void> {
  const sync = createSyncStore(database);
  const integrationId = await insertIntegration(database);
  const now = new Date('2026-02-01T00:00:00Z');
  let walk: { run: SyncRun; position: SyncPosition };
  let before: typeof walk | null = null;
  let last: Entry[] = [];
  let n = 0;

  /** What a worker does that starts after a crash: it knows nothing but what is stored. */
  const begin = async () => {
    const begun = await sync.begin({ integrationId, runId: newId(), trigger: 'manual', now });
    if (begun.outcome !== 'walk') throw new Error(begun.outcome);
    return begun;
  };
  const write = (from: typeof walk, list: Entry[]) =>
    sync.applyPage({
      run: from.run,
      from: from.position,
      page: devicePage(list.map(toApple), `d${(n += 1)}`, true),
      now,
    });

  const first = await begin();
  const fetched = await sync.applyPage({
    run: first.run,
    from: first.position,
    page: devicePage([], 'c'),
    now,
  });
  walk = await sync.finishFetch({ run: fetched.run, from: fetched.position, now });
  for (const one of steps) {
    if (one.kind === 'late') {
      // An attempt that still stands where the walk was: it must change nothing.
      if (before !== null)
        await expect(
          write(before, [{ serial: 'E', type: 'added', at: 9, color: 'LATE' }]),
        ).rejects.toBeInstanceOf(StaleWalkError);
      walk = await begin();
      continue;
    }
    const list = one.kind === 'repeat' ? last : one.entries;
    before = walk;
    if (one.kind === 'race') {
      const from = walk;
      const race = await Promise.allSettled([write(from, list), write(from, list)]);
      expect(race.filter((attempt) => attempt.status === 'fulfilled')).toHaveLength(1);
      walk = await begin();
    } else walk = await write(walk, list);
    model.page(list);
    last = list;
  }
}

/** Entry after entry; a page remembers what it said itself of devices that nobody knows yet. */
class Model {
  #known = new Map<string, { color: string; gone: boolean; newest: Newest | null }>();

  page(list: Entry[]): void {
    const inPage = new Map<string, Newest>();
    for (const one of list) {
      const known = this.#known.get(one.serial);
      const isStale =
        isOlder(one, known?.newest ?? null) || isOlder(one, inPage.get(one.serial) ?? null);
      if (isStale) continue;
      const gone = one.type === 'deleted';
      const dated = one.at === null ? null : { at: one.at, gone };
      if (dated) inPage.set(one.serial, dated);
      if (known === undefined && gone) continue;
      this.#known.set(one.serial, {
        color: gone ? (known?.color ?? '') : one.color,
        gone,
        newest: dated ?? known?.newest ?? inPage.get(one.serial) ?? null,
      });
    }
  }

  devices() {
    return Object.fromEntries(
      [...this.#known].map(([serial, { color, gone }]) => [serial, { color, gone }]),
    );
  }
}

interface Newest {
  at: number;
  gone: boolean;
}

function isOlder(one: Entry, newest: Newest | null): boolean {
  if (newest === null || one.at === null) return false;
  return one.at < newest.at || (one.at === newest.at && newest.gone && one.type !== 'deleted');
}

function toApple({ serial, type, at, color }: Entry): AppleDevice {
  const date = at === null ? null : `2026-01-01T00:00:0${at}Z`;
  return type === 'deleted'
    ? deletedDevice(serial, date)
    : appleDevice({ serial, color, operation: operation(type, date) });
}

async function stored() {
  const rows = await database.sql<{ serial: string; color: string; presence: string }[]>`
    select serial, color, presence from devices`;
  return Object.fromEntries(
    rows.map((row) => [row.serial, { color: row.color, gone: row.presence === 'removed' }]),
  );
}
