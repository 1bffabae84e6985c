import type { DifferenceReport, SyncRun } from '../../domain/sync.ts';

/** A row of `sync_runs` as the raw client reads it. */
export interface SyncRunColumns {
  id: string;
  integration_id: string;
  trigger: SyncRun['trigger'];
  mode: SyncRun['mode'];
  state: SyncRun['state'];
  pages: number;
  added: number;
  modified: number;
  removed: number;
  unchanged: number;
  queued_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  error_code: string | null;
  error_message: string | null;
  waiting_for: string | null;
  next_attempt_at: Date | null;
  report: DifferenceReport | null;
}

export function toSyncRun(row: SyncRunColumns): SyncRun {
  return {
    id: row.id,
    integrationId: row.integration_id,
    trigger: row.trigger,
    mode: row.mode,
    state: row.state,
    pages: row.pages,
    added: row.added,
    modified: row.modified,
    removed: row.removed,
    unchanged: row.unchanged,
    queuedAt: row.queued_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    error:
      row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
    waitingFor: row.waiting_for,
    nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
    report: row.report,
  };
}

/** The columns that a run is first written with. */
export function columnsOf(run: SyncRun) {
  return {
    id: run.id,
    integration_id: run.integrationId,
    trigger: run.trigger,
    mode: run.mode,
    state: run.state,
    pages: run.pages,
    added: run.added,
    modified: run.modified,
    removed: run.removed,
    unchanged: run.unchanged,
    queued_at: new Date(run.queuedAt),
    started_at: run.startedAt === null ? null : new Date(run.startedAt),
    finished_at: run.finishedAt === null ? null : new Date(run.finishedAt),
    error_code: run.error?.code ?? null,
    error_message: run.error?.message ?? null,
    waiting_for: run.waitingFor,
    next_attempt_at: run.nextAttemptAt === null ? null : new Date(run.nextAttemptAt),
  };
}
