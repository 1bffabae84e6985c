import type { Sql } from 'postgres';
import { syncBlock, type SyncOverview, type TokenState } from '../../domain/integration.ts';
import { syncIntervalSeconds } from '../../domain/sync.ts';
import { noIntegration } from './integration-rows.ts';
import { toSyncRun, type SyncRunColumns } from './sync-run-rows.ts';

interface OverviewRow {
  token_state: TokenState;
  token_expires_at: Date | null;
  paused_at: Date | null;
  cursor_at: Date | null;
  last_checked_at: Date | null;
  last_full_at: Date | null;
}

/** See `SyncOverview`. An idle delta leaves no run behind: `lastCheckedAt` tells of it. */
export async function readOverview(sql: Sql, id: string, now: Date): Promise<SyncOverview> {
  const [[row], runs] = await Promise.all([
    sql<OverviewRow[]>`
      select i.token_state, i.token_expires_at, i.paused_at, p.cursor_at, p.last_checked_at,
        p.last_full_at
      from integrations i join sync_positions p on p.integration_id = i.id where i.id = ${id}`,
    sql<SyncRunColumns[]>`
      (select * from sync_runs where integration_id = ${id} and state in ('running', 'waiting'))
      union (select * from sync_runs where integration_id = ${id} and state = 'queued')
      union (select * from sync_runs where integration_id = ${id}
        and state not in ('queued', 'running', 'waiting')
        order by queued_at desc, id desc limit 1)`,
  ]);
  if (row === undefined) throw noIntegration(id);
  const found = runs.map(toSyncRun);
  const isOpen = (state: string) => state === 'running' || state === 'waiting';
  const open =
    found.find((run) => isOpen(run.state)) ?? found.find((run) => run.state === 'queued') ?? null;
  const last = found.find((run) => !isOpen(run.state) && run.state !== 'queued') ?? null;

  const expiresAt = row.token_expires_at?.toISOString();
  const block = syncBlock(
    {
      token: expiresAt === undefined ? null : { expiresAt, uploadedAt: expiresAt },
      tokenState: row.token_state,
      pausedAt: row.paused_at?.toISOString() ?? null,
    },
    now,
  );
  const ended = [row.last_checked_at?.getTime(), last ? Date.parse(last.finishedAt ?? '') : NaN];
  const latest = Math.max(
    ...(ended.filter((at) => at !== undefined && !Number.isNaN(at)) as number[]),
  );
  const due = Number.isFinite(latest)
    ? new Date(latest + syncIntervalSeconds * 1000).toISOString()
    : null;
  return {
    mode: open?.mode ?? last?.mode ?? null,
    state: open?.state ?? 'idle',
    cursorAt: row.cursor_at?.toISOString() ?? null,
    lastCheckedAt: row.last_checked_at?.toISOString() ?? null,
    lastFullAt: row.last_full_at?.toISOString() ?? null,
    lastRun: last ?? open,
    nextRunAt: open === null ? (block === null ? due : null) : open.nextAttemptAt,
  };
}
