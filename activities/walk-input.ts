import type { RunError, SyncBlock, SyncPosition, SyncRun, SyncTrigger } from '../domain/sync.ts';

export interface WalkInput {
  integrationId: string;
  /** The id that a run gets if this walk opens one. */
  runId: string;
  trigger: SyncTrigger;
  /** Where the workflow believes the walk stands; Postgres wins where they differ. */
  position: SyncPosition | null;
  /** Whether the run has thrown its cursor away once already. */
  restarted: boolean;
  /** Failures in a row before this walk. */
  failures: number;
  /** What held the loop back until now: a probe that meets it again leaves no run behind. */
  block: SyncBlock | null;
}

/** What one slice of a walk came to. */
export type WalkResult =
  | { outcome: 'finished'; run: SyncRun; position: SyncPosition; tokenExpiresAt: string }
  /** The time box or the page bound is over, or the slice was cut short: call again. */
  | {
      outcome: 'continues';
      run: SyncRun;
      position: SyncPosition;
      restarted: boolean;
      failures: number;
    }
  | {
      outcome: 'waiting';
      run: SyncRun;
      position: SyncPosition;
      restarted: boolean;
      failures: number;
      waitingFor: RunError;
      /** ISO 8601 UTC. */
      until: string;
      /** `until` is Apple's own `Retry-After`. */
      heldByApple: boolean;
    }
  /** The run has ended in failure; the loop goes on at its next due time. */
  | { outcome: 'failed'; run: SyncRun; position: SyncPosition }
  | { outcome: 'blocked'; block: SyncBlock; run: SyncRun | null; tokenExpiresAt: string | null }
  /** The integration is gone: the loop ends. */
  | { outcome: 'gone' };
