/** Names that a caller needs to start, wake and ask our workflows. No Temporal import: the API uses it too. */
import type {
  PageCounts,
  RunError,
  SyncBlock,
  SyncPosition,
  SyncRun,
  SyncTrigger,
} from '../domain/sync.ts';

/** Workflows, and activities that answer in seconds to minutes. */
export const taskQueue = 'abm-sync';

export const syncWorkflowType = 'syncDevices';
export const syncWorkflowId = (integrationId: string) => `sync/${integrationId}`;

/** Watches that every integration has its loops. */
export const watchdogScheduleId = 'watch-loops';

/**
 * Update: run now and answer with the finished run. A caller without a run id wants any next run. It
 * fails with a type that is the API's code: of what Postgres or Apple says blocks this very walk,
 * `not_found` after a deletion, or the `RunError.code` of a run that failed.
 */
export const syncNowUpdate = 'syncNow';
/**
 * Signal: the facts in Postgres have changed, look again now. One that is lost costs five minutes. Only
 * a new token is worth a look before Apple's `Retry-After` and the spacing after a failure are over.
 */
export const wakeSignal = 'wake';
export type WakeReason = 'token' | 'facts';
/** Query: what the loop is doing and when it acts next. */
export const syncStatusQuery = 'status';

export interface SyncDevicesInput {
  integrationId: string;
  /** Cycles until the loop continues as new; a test hook, 288 (a day) otherwise. */
  maxCycles?: number;
  carry?: SyncCarry;
}

/** What survives a continue-as-new. The cursor is workflow state. Times are epoch milliseconds. */
export interface SyncCarry {
  position: SyncPosition | null;
  /** When the next scheduled run is due. */
  nextDueAt: number | null;
  /** When the loop acts next by itself. */
  nextLookAt: number;
  tokenExpiresAt: number | null;
  failures: number;
  /** The run that is open, if one is. */
  open: { runId: string; trigger: SyncTrigger; run: SyncRun | null; restarted: boolean } | null;
  block: SyncBlock | null;
  waitingFor: RunError | null;
  /** Neither Sync Now nor a wake makes the loop ask Apple before this, but a new token does. */
  notBefore: number;
  lastRun: SyncRun | null;
}

export interface SyncNowInput {
  /** The run that the API queued or joined. */
  runId: string | null;
}

/**
 * What `syncNow` answers with: the run, at its end. Only when the loop must continue as new while
 * Apple is out of reach does a caller get the run as it stands, `waiting`.
 */
export type SyncNowResult = SyncRun;

export interface SyncStatus {
  phase: 'starting' | 'walking' | 'waiting' | 'idle' | 'blocked' | 'paused';
  position: SyncPosition | null;
  run: { id: string; pages: number; counts: PageCounts } | null;
  waitingFor: RunError | null;
  /** ISO 8601 UTC; null: it is acting now. A blocked loop looks every five minutes. */
  nextActionAt: string | null;
  lastRun: SyncRun | null;
}

/** Search attributes, registered by the embedded mode, docker-compose and docs/operations.md alike. */
export const searchAttributes = {
  integration: 'AbmIntegration',
  stage: 'AbmStage',
  status: 'AbmStatus',
} as const;

/** How everybody starts the loop of an integration: idempotent, and readable in the Temporal UI. */
export function syncStartOptions(integrationId: string) {
  const args: [SyncDevicesInput] = [{ integrationId }];
  return {
    taskQueue,
    workflowId: syncWorkflowId(integrationId),
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    args,
    typedSearchAttributes: [
      {
        key: { name: searchAttributes.integration, type: 'KEYWORD' as const },
        value: integrationId,
      },
    ],
    memo: { integrationId, purpose: 'Keeps the devices of Apple Business Manager in Postgres' },
    staticSummary: `Device sync of integration ${integrationId}`,
    staticDetails:
      'Walks the device list of Apple Business Manager every five minutes and on Sync Now, for ever.\n\n' +
      'The current details say what it is doing and when it acts next.',
  };
}
