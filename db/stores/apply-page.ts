import type { PostgresError, Sql, TransactionSql } from 'postgres';
import type { DevicePage } from '../../domain/ade.ts';
import {
  StaleWalkError,
  type PageCounts,
  type SyncPosition,
  type SyncRun,
} from '../../domain/sync.ts';
import { deviceFacts, storable } from './device-facts.ts';
import { mergeEntries, type MergedEntry } from './merge-entries.ts';
import { pageStatement } from './page-statement.ts';
import { columnsOf, toSyncRun, type SyncRunColumns } from './sync-run-rows.ts';
import { movePosition, staleIfDoubled } from './sync-position.ts';

export interface PageInput {
  run: SyncRun;
  from: SyncPosition;
  page: DevicePage;
  now: Date;
}

export interface PageResult {
  position: SyncPosition;
  counts: PageCounts;
  run: SyncRun;
}

type Written = SyncRunColumns & {
  intended: number;
  written: number;
  page_added: number;
  page_modified: number;
  page_removed: number;
  page_unchanged: number;
};

const attempts = 5;

/** A page as parameters of its statement: one array literal a column. */
interface Prepared {
  count: number;
  columns: string[];
}

const prepared = new WeakMap<DevicePage, Prepared>();

/** See `SyncStore.preparePage`: the page keeps its parameters until it is written. */
export function preparePage(page: DevicePage): Prepared {
  const known = prepared.get(page);
  if (known !== undefined) return known;
  const entries = mergeEntries(page.devices);
  const made = { count: entries.length, columns: columnsOfEntries(entries) };
  prepared.set(page, made);
  return made;
}

/** One page in one transaction; see `SyncStore.applyPage`. */
export async function applyPage(sql: Sql, input: PageInput): Promise<PageResult> {
  const { from, page } = input;
  const position: SyncPosition = { ...from, cursor: page.cursor };
  const { count, columns } = preparePage(page);
  if (count === 0 && from.phase === 'sync') return applyEmptyPage(sql, input, position);

  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sql.begin((tx) => writePage(tx, input, position, columns));
    } catch (error) {
      if (isRaced(error) && attempt < attempts) continue;
      throw staleIfDoubled(error);
    }
  }
}

async function writePage(
  tx: TransactionSql,
  { run, from, page, now }: PageInput,
  position: SyncPosition,
  columns: readonly string[],
): Promise<PageResult> {
  const complete = isComplete(from, page);
  // The three go to the server in one breath; the position's lock comes first all the same.
  const rows = await inOrder(
    inOrder(
      planForFewRows(tx),
      movePosition(tx, { integrationId: run.integrationId, from, to: position, now, complete }),
    ),
    tx.unsafe<Written[]>(pageStatement, parametersOf(run, from, now, columns), { prepare: true }),
  );
  const row = rows[0];
  // No row of the run: somebody has ended it.
  if (row?.id == null) throw new StaleWalkError();
  if (row.intended !== row.written) throw new RacedError();
  return {
    position,
    counts: {
      added: row.page_added,
      modified: row.page_modified,
      removed: row.page_removed,
      unchanged: row.page_unchanged,
    },
    run: toSyncRun(row),
  };
}

/** Nothing to tell: a run that is not written stays unwritten. */
async function applyEmptyPage(
  sql: Sql,
  { run, from, page, now }: PageInput,
  position: SyncPosition,
): Promise<PageResult> {
  const written = await sql.begin(async (tx) => {
    const rows = await inOrder(
      movePosition(tx, {
        integrationId: run.integrationId,
        from,
        to: position,
        now,
        complete: isComplete(from, page),
      }),
      tx<SyncRunColumns[]>`
        update sync_runs set pages = pages + 1, state = 'running', waiting_for = null,
          next_attempt_at = null
        where id = ${run.id} and state in ('running', 'waiting') returning *`,
    );
    return rows[0];
  });
  return {
    position,
    counts: { added: 0, modified: 0, removed: 0, unchanged: 0 },
    run: written === undefined ? { ...run, pages: run.pages + 1 } : toSyncRun(written),
  };
}

function isComplete(from: SyncPosition, page: DevicePage): boolean {
  return from.phase === 'sync' && !page.moreToFollow;
}

function parametersOf(
  run: SyncRun,
  from: SyncPosition,
  now: Date,
  columns: readonly string[],
): (string | Date | null)[] {
  const walkId = from.phase === 'fetch' ? from.walkId : null;
  return [run.integrationId, now, JSON.stringify(columnsOf(run)), walkId, ...columns];
}

function columnsOfEntries(entries: readonly MergedEntry[]): string[] {
  const column = (of: (entry: MergedEntry) => string | null) => arrayLiteral(entries.map(of));
  return [
    column((entry) => entry.serial),
    column((entry) => (entry.facts === null ? 'f' : 't')),
    column((entry) => entry.factsAt),
    column((entry) => (entry.gone ? 't' : 'f')),
    column((entry) => entry.goneAt),
    column((entry) => entry.newest?.type ?? null),
    column((entry) => entry.newest?.at ?? null),
    ...deviceFacts.map(({ of }) =>
      column(({ facts }) => {
        const value = facts === null ? null : of(facts);
        return value === null ? null : storable(value);
      }),
    ),
  ];
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayLiteral(values: readonly (string | null)[]): string {
  const quoted = values.map((value) =>
    value === null
      ? 'NULL'
      : `"${/["\\]/.test(value) ? value.replaceAll(/["\\]/g, '\\$&') : value}"`,
  );
  return `{${quoted.join(',')}}`;
}

/**
 * A page touches at most 1000 rows of a table that may be growing from nothing to half a million: a
 * plan that was right for the small table would read the large one from end to end for every page.
 */
function planForFewRows(tx: TransactionSql): PromiseLike<unknown> {
  return tx`select set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)`;
}

/** Waits for both, then throws the error of the first before that of the second. */
async function inOrder<A, B>(first: PromiseLike<A>, second: PromiseLike<B>): Promise<B> {
  const [one, two] = await Promise.allSettled([first, second]);
  if (one.status === 'rejected') throw one.reason;
  if (two.status === 'rejected') throw two.reason;
  return two.value;
}

/** Another integration changed one of the page's devices meanwhile: nothing is written, once more. */
class RacedError extends Error {}

/**
 * The same for a device that was new to both. Letting the insert fail costs the first load less
 * than `on conflict`, which inserts every row on approval.
 */
function isRaced(error: unknown): boolean {
  if (error instanceof RacedError) return true;
  const { code, constraint_name: constraint } = error as PostgresError;
  return code === '23505' && constraint === 'devices_pkey';
}
