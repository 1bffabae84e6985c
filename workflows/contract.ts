/** Names that a caller needs to start, wake and ask our workflows. No Temporal import: the API uses it too. */
import type { PageCounts, RunError, SyncPosition, SyncRun } from '../domain/sync.ts';

/** Workflows, and activities that answer in seconds to minutes. */
export const taskQueue = 'abm-sync';

export const syncWorkflowId = (integrationId: string) => `sync/${integrationId}`;
export const integrationIdOfSync = (workflowId: string) => workflowId.slice('sync/'.length);

/** Watches that every integration has its loops. */
export const watchdogScheduleId = 'watch-loops';

/** Update: run now and answer with the finished run. A caller without a run id wants any next run. */
export const syncNowUpdate = 'syncNow';
/** Signal: the facts in Postgres have changed (new token, pause, resume, settings); look again now. */
export const wakeSignal = 'wake';
/** Query: what the loop is doing and when it acts next. */
export const syncStatusQuery = 'status';

export interface SyncDevicesInput {
  integrationId: string;
  /** Cycles until the loop continues as new; a test hook, 288 (a day) otherwise. */
  maxCycles?: number;
  carry?: SyncCarry;
}

/** What survives a continue-as-new. The cursor is workflow state. */
export interface SyncCarry {
  position: SyncPosition | null;
  /** Epoch milliseconds. */
  nextDueAt: number | null;
  failures: number;
  lastRun: SyncRun | null;
}

export interface SyncNowInput {
  /** The run that the API queued or joined. */
  runId: string | null;
}

export interface SyncStatus {
  phase: 'starting' | 'walking' | 'waiting' | 'idle' | 'blocked' | 'paused';
  position: SyncPosition | null;
  run: { id: string; pages: number; counts: PageCounts } | null;
  waitingFor: RunError | null;
  /** ISO 8601 UTC; null: only a person's act wakes it (and an hourly look). */
  nextActionAt: string | null;
  lastRun: SyncRun | null;
}

/** Failure types that end an update; the same words as the API's codes. */
export const syncFailureTypes = [
  'awaiting_token',
  'token_expired',
  'token_rejected',
  'terms_not_signed',
  'paused',
  'not_found',
] as const;

/** Search attributes, registered by the embedded mode, docker-compose and docs/operations.md alike. */
export const searchAttributes = {
  integration: 'AbmIntegration',
  stage: 'AbmStage',
  status: 'AbmStatus',
} as const;
