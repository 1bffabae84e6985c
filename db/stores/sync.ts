import type { Sql } from 'postgres';
import { StaleWalkError, type SyncRun, type SyncStore } from '../../domain/sync.ts';
import type { Database } from '../client.ts';
import { applyPage, preparePage } from './apply-page.ts';
import { beginWalk } from './begin-walk.ts';
import { finishFetch, restartFetch } from './finish-fetch.ts';
import { staleIfDoubled } from './sync-position.ts';
import { columnsOf, toSyncRun, type SyncRunColumns } from './sync-run-rows.ts';
import { markTokenState } from './token-state.ts';

/** The facts of a walk, in Postgres. */
export function createSyncStore({ sql }: Pick<Database, 'sql'>): SyncStore {
  return {
    begin: (input) => beginWalk(sql, input),
    preparePage: (page) => {
      preparePage(page);
    },
    applyPage: (input) => applyPage(sql, input),
    finishFetch: (input) => finishFetch(sql, input),
    restartFetch: (input) => restartFetch(sql, input),

    async markWaiting({ run, waitingFor, nextAttemptAt }) {
      const waiting: SyncRun = {
        ...run,
        state: 'waiting',
        waitingFor: waitingFor.code,
        nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
      };
      const { state, waiting_for, next_attempt_at } = columnsOf(waiting);
      const changes = { state, waiting_for, next_attempt_at };
      try {
        const [row] = await sql<SyncRunColumns[]>`
          insert into sync_runs ${sql(columnsOf(waiting))}
          on conflict (id) do update set ${sql(changes)}
          where sync_runs.state in ('running', 'waiting') returning *`;
        if (row === undefined) throw new StaleWalkError();
        return toSyncRun(row);
      } catch (error) {
        throw staleIfDoubled(error);
      }
    },

    async finishRun({ run, state, error, now }) {
      const finished: SyncRun = {
        ...run,
        state,
        error,
        finishedAt: now.toISOString(),
        waitingFor: null,
        nextAttemptAt: null,
      };
      if (state === 'succeeded') await noteChecked(sql, run, now);
      const [row] = await sql<SyncRunColumns[]>`
        update sync_runs set state = ${state}, finished_at = ${now}, waiting_for = null,
          next_attempt_at = null, error_code = ${error?.code ?? null},
          error_message = ${error?.message ?? null}
        where id = ${run.id} and state in ('queued', 'running', 'waiting') returning *`;
      if (row !== undefined) return toSyncRun(row);

      // Not written, or ended before: a repeated attempt finds what the first one left.
      const [ended] = await sql<SyncRunColumns[]>`select * from sync_runs where id = ${run.id}`;
      if (ended !== undefined) return toSyncRun(ended);
      if (state === 'succeeded') return finished;
      await sql`insert into sync_runs ${sql(columnsOf(finished))} on conflict (id) do nothing`;
      return finished;
    },

    markTokenState: (input) => markTokenState(sql, input),
  };
}

/** The last page of the walk has said so already, unless there was none. */
async function noteChecked(sql: Sql, run: SyncRun, now: Date): Promise<void> {
  await sql`
    update sync_positions set last_checked_at = ${now}
    where integration_id = ${run.integrationId}
      and (last_checked_at is null or last_checked_at < ${new Date(run.startedAt ?? run.queuedAt)})`;
}
