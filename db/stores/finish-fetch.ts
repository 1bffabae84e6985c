import type { Sql, TransactionSql } from 'postgres';
import {
  StaleWalkError,
  type DifferenceReport,
  type SyncPosition,
  type SyncRun,
} from '../../domain/sync.ts';
import { newId } from '../new-id.ts';
import { movePosition, staleIfDoubled } from './sync-position.ts';
import { columnsOf, toSyncRun, type SyncRunColumns } from './sync-run-rows.ts';

interface WalkInput {
  run: SyncRun;
  from: SyncPosition;
  now: Date;
}

/** See `SyncStore.finishFetch`. */
export async function finishFetch(
  sql: Sql,
  { run, from, now }: WalkInput,
): Promise<{ position: SyncPosition; removed: number; run: SyncRun }> {
  if (from.walkId === null || from.cursor === null)
    throw new TypeError('only a walk that has a cursor can be finished');
  const walkId = from.walkId;
  const position: SyncPosition = { phase: 'sync', cursor: from.cursor, walkId: null };
  return sql.begin(async (tx) => {
    const [walk] = await tx<{ walk_started_at: Date }[]>`
      select walk_started_at from sync_positions where integration_id = ${run.integrationId}`;
    const { integrationId } = run;
    await movePosition(tx, { integrationId, from, to: position, now, finishesWalk: true });
    const removed = await removeUnseen(tx, {
      run,
      walkId,
      startedAt: walk?.walk_started_at ?? now,
      now,
    });
    const report = await reportOf(tx, walkId, removed);
    await tx`delete from walk_pages where integration_id = ${integrationId}`;
    const [written] = await tx<SyncRunColumns[]>`
      update sync_runs set removed = removed + ${removed.count}, report = ${tx.json({ ...report })},
        state = 'running', waiting_for = null, next_attempt_at = null
      where id = ${run.id} and state in ('running', 'waiting') returning *`;
    if (written === undefined) throw new StaleWalkError();
    return { position, removed: removed.count, run: toSyncRun(written) };
  });
}

/** See `SyncStore.restartFetch`. */
export async function restartFetch(
  sql: Sql,
  { run, from, now }: WalkInput,
): Promise<{ position: SyncPosition; run: SyncRun }> {
  const position: SyncPosition = { phase: 'fetch', cursor: null, walkId: newId(now.getTime()) };
  const { integrationId } = run;
  try {
    return await sql.begin(async (tx) => {
      await movePosition(tx, { integrationId, from, to: position, now, startsWalk: true });
      await tx`delete from walk_pages where integration_id = ${integrationId}`;
      const [written] = await tx<SyncRunColumns[]>`
        insert into sync_runs ${tx(columnsOf({ ...run, mode: 'full', state: 'running' }))}
        on conflict (id) do update set mode = 'full', state = 'running', waiting_for = null,
          next_attempt_at = null
        where sync_runs.state in ('running', 'waiting') returning *`;
      if (written === undefined) throw new StaleWalkError();
      return { position, run: toSyncRun(written) };
    });
  } catch (error) {
    throw staleIfDoubled(error);
  }
}

interface Removed {
  count: number;
  sample: string[];
}

/** What the walk has not met, unless it was written since the walk began, by our clock and not by Apple's. */
async function removeUnseen(
  tx: TransactionSql,
  { run, walkId, startedAt, now }: { run: SyncRun; walkId: string; startedAt: Date; now: Date },
): Promise<Removed> {
  const [row] = await tx<[Removed]>`
    with seen as materialized (
      select unnest(serials) as serial from walk_pages where walk_id = ${walkId}
    ),
    gone as (
      update devices d set presence = 'removed', removed_at = ${now}, updated_at = ${now}
      where d.integration_id = ${run.integrationId} and d.presence = 'present'
        and d.updated_at <= ${startedAt}
        and not exists (select 1 from seen s where s.serial = d.serial)
      returning d.serial
    ),
    told as (
      insert into device_events (serial, at, kind, run_id, changes)
      select serial, ${now}, 'removed', ${run.id},
        '{"presence": {"from": "present", "to": "removed"}}'::jsonb
      from gone
    )
    select count(*)::int as count, coalesce((array_agg(serial))[1:100], '{}') as sample from gone`;
  return row;
}

async function reportOf(
  tx: TransactionSql,
  walkId: string,
  removed: Removed,
): Promise<DifferenceReport> {
  const [row] = await tx<
    [{ added: number; changed: number; added_sample: string[]; changed_sample: string[] }]
  >`
    select coalesce(sum(added), 0)::int as added, coalesce(sum(changed), 0)::int as changed,
      array(select s from (select page_no, unnest(added_sample) as s from walk_pages
        where walk_id = ${walkId} order by page_no limit 100) first) as added_sample,
      array(select s from (select page_no, unnest(changed_sample) as s from walk_pages
        where walk_id = ${walkId} order by page_no limit 100) first) as changed_sample
    from walk_pages where walk_id = ${walkId}`;
  return {
    added: { count: row.added, sample: row.added_sample },
    changed: { count: row.changed, sample: row.changed_sample },
    removed,
  };
}
