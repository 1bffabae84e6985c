import type { SyncRun, SyncRunStore } from '../../domain/sync.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Database } from '../client.ts';
import { cursorForms, decodeCursor, pageOf } from '../cursor.ts';
import { newId } from '../new-id.ts';
import { appendAudit } from './audit-trail.ts';
import type { Queries } from './sync-position.ts';
import { toSyncRun, type SyncRunColumns } from './sync-run-rows.ts';

export function createSyncRunStore({ sql }: Pick<Database, 'sql'>): SyncRunStore {
  const find = async (id: string) => {
    if (!cursorForms.uuid.test(id)) return undefined;
    const [row] = await sql<SyncRunColumns[]>`select * from sync_runs where id = ${id}`;
    return row === undefined ? undefined : toSyncRun(row);
  };

  return {
    find,

    request: (input) =>
      sql.begin(async (tx) => {
        const { integrationId, mode, now, actor } = input;
        const open = await openRuns(tx, integrationId);
        const running = open.find((run) => run.state !== 'queued');
        const queued = open.find((run) => run.state === 'queued');
        const joinable = [running, queued].find(
          (run) => run !== undefined && (mode === 'delta' || run.mode === 'full'),
        );
        const run = joinable ?? (await enqueue(tx, queued?.id ?? newId(now.getTime()), input));
        await appendAudit(tx, {
          at: now,
          actor,
          action: 'sync.requested',
          object: { type: 'integration', id: integrationId },
          before: null,
          after: { runId: run.id, mode, joined: joinable !== undefined },
        });
        return { run, joined: joinable !== undefined || queued !== undefined };
      }),

    cancelQueued: (id, now, actor) =>
      sql.begin(async (tx) => {
        if (!cursorForms.uuid.test(id)) return false;
        // Under the position's lock, as the beginning of a walk: what is cancelled does not begin.
        await tx`
          select 1 from sync_positions
          where integration_id = (select integration_id from sync_runs where id = ${id}) for update`;
        const [run] = await tx<{ integration_id: string }[]>`
          update sync_runs set state = 'cancelled', finished_at = ${now}
          where id = ${id} and state = 'queued' returning integration_id`;
        if (run === undefined) return false;
        await appendAudit(tx, {
          at: now,
          actor,
          action: 'sync.cancelled',
          object: { type: 'integration', id: run.integration_id },
          before: { runId: id, state: 'queued' },
          after: { runId: id, state: 'cancelled' },
        });
        return true;
      }),

    async list(integrationId, { limit, cursor }) {
      const after = decodeCursor(cursor, [cursorForms.time, cursorForms.uuid]);
      const rows = await sql<SyncRunColumns[]>`
        select * from sync_runs where integration_id = ${integrationId}
          ${after === null ? sql`` : sql`and (queued_at, id) < (${after[0] ?? ''}::timestamptz, ${after[1] ?? ''}::uuid)`}
        order by queued_at desc, id desc limit ${limit + 1}`;
      return pageOf(rows, limit, toSyncRun, (row) => [row.queued_at.toISOString(), row.id]);
    },
  };
}

/** Locks the position, so that requests and the beginning of a walk follow one another. */
async function openRuns(tx: Queries, integrationId: string): Promise<SyncRun[]> {
  const [position] = await tx`
    select 1 from sync_positions where integration_id = ${integrationId} for update`;
  if (position === undefined)
    throw new DomainError('not_found', `There is no integration ${integrationId}.`);
  const rows = await tx<SyncRunColumns[]>`
    select * from sync_runs
    where integration_id = ${integrationId} and state in ('queued', 'running', 'waiting')`;
  return rows.map(toSyncRun);
}

async function enqueue(
  tx: Queries,
  id: string,
  { integrationId, mode, now }: { integrationId: string; mode: SyncRun['mode']; now: Date },
): Promise<SyncRun> {
  const [row] = await tx<[SyncRunColumns]>`
    insert into sync_runs (id, integration_id, trigger, mode, state, queued_at)
    values (${id}, ${integrationId}, 'manual', ${mode}, 'queued', ${now})
    on conflict (id) do update set mode = excluded.mode
    returning *`;
  return toSyncRun(row);
}
