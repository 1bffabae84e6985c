import type { DevicePage } from './ade.ts';
import type { Actor } from './audit.ts';
import type { Page, PageQuery } from './page.ts';

export const syncModes = ['delta', 'full'] as const;
export type SyncMode = (typeof syncModes)[number];

/** `reconcile` is the weekly full fetch, `token` the run that a new token starts at once. */
export const syncTriggers = ['schedule', 'manual', 'token', 'reconcile', 'initial'] as const;
export type SyncTrigger = (typeof syncTriggers)[number];

export const runStates = [
  'queued',
  'running',
  'waiting',
  'succeeded',
  'failed',
  'cancelled',
] as const;
export type RunState = (typeof runStates)[number];

/** Why a walk may not run now; the same words as the 409 codes of `POST /sync`. */
export type SyncBlock =
  'awaiting_token' | 'token_expired' | 'token_rejected' | 'terms_not_signed' | 'paused';

/** Every five minutes, by requirement: not configurable. */
export const syncIntervalSeconds = 300;

/**
 * Where a walk along Apple's list stands. `fetch` walks `/server/devices` (cursor null: from the
 * start), `sync` walks `/devices/sync`. `walkId` names one full fetch from its first page to its
 * reconciliation, however many runs that takes.
 */
export interface SyncPosition {
  phase: 'fetch' | 'sync';
  cursor: string | null;
  walkId: string | null;
}

export interface PageCounts {
  added: number;
  modified: number;
  removed: number;
  unchanged: number;
}

export interface RunError {
  /** An `ErrorCode` or, for a refusal of Apple's, its own word. */
  code: string;
  message: string;
}

/** What a full fetch found that the deltas before it had not told. Samples hold at most 100 serials. */
export interface DifferenceReport {
  added: { count: number; sample: string[] };
  changed: { count: number; sample: string[] };
  removed: { count: number; sample: string[] };
}

export interface SyncRun extends PageCounts {
  id: string;
  integrationId: string;
  trigger: SyncTrigger;
  mode: SyncMode;
  state: RunState;
  pages: number;
  startedAt: string | null;
  finishedAt: string | null;
  queuedAt: string;
  error: RunError | null;
  waitingFor: string | null;
  nextAttemptAt: string | null;
  report: DifferenceReport | null;
}

/** What a worker needs to know before it walks; read in one query. */
export interface WalkStart {
  run: SyncRun;
  position: SyncPosition;
  /** Devices a page, after the integration's setting and Apple's advertised limits. */
  limit: number;
  tokenExpiresAt: string;
}

export type BeginWalk =
  | ({ outcome: 'walk' } & WalkStart)
  | { outcome: 'blocked'; block: SyncBlock; tokenExpiresAt: string | null }
  | { outcome: 'gone' };

/** Another attempt has moved the walk on: this one must stop and write nothing. */
export class StaleWalkError extends Error {
  constructor() {
    super('another attempt has taken this walk further');
    this.name = 'StaleWalkError';
  }
}

/**
 * The facts of a walk in Postgres. Every write is fenced by the position it started from
 * (`StaleWalkError` when the stored one differs), so two attempts may be alive at once.
 */
export interface SyncStore {
  /**
   * Opens or resumes a run. Precedence: the run that is `running`/`waiting` (a crash) → the `queued`
   * one (Sync Now) → a new one with `runId`. Mode is `full` when there is no delta cursor, when the
   * queued run asks for it, or when the weekly reconcile is due (`trigger` then becomes `reconcile`);
   * a full mode resets the position to a new walk. A new scheduled delta is not written until it
   * has something to say (see `SyncStore.applyPage`), so an idle cycle inserts no row; nor is the run
   * of a probe.
   *
   * Blocked (no token, expired at `now`, rejected, paused): open runs are ended with that code
   * (`paused` leaves them waiting) and nothing is walked. `terms_not_signed` and, at most hourly,
   * `token_rejected` do not block here: the walk probes Apple and its answer decides.
   */
  begin(input: {
    integrationId: string;
    runId: string;
    trigger: SyncTrigger;
    now: Date;
  }): Promise<BeginWalk>;

  /**
   * The part of `applyPage` that needs no database. Worth a call as soon as a page is there, while the
   * one before is being written; `applyPage` does it otherwise.
   */
  preparePage(page: DevicePage): void;

  /**
   * One page, one transaction: fence, upsert of what changed (newest operation wins, an older one
   * never overwrites), removals, timeline, counts, and the position after it. For a `fetch` page the
   * serials are remembered under the walk for `finishFetch`. Applying a page twice changes nothing.
   * An empty delta page of a run that is not written yet only moves the position.
   */
  applyPage(input: {
    run: SyncRun;
    from: SyncPosition;
    page: DevicePage;
    now: Date;
  }): Promise<{ position: SyncPosition; counts: PageCounts; run: SyncRun }>;

  /**
   * The end of a full fetch: what the walk has not seen and is not newer than its start is marked
   * removed (a difference of sets, in SQL), the report is written, the position turns to `sync` with
   * the last cursor.
   */
  finishFetch(input: {
    run: SyncRun;
    from: SyncPosition;
    now: Date;
  }): Promise<{ position: SyncPosition; removed: number; run: SyncRun }>;

  /** Apple refused the cursor: a new walk from the start, in the same run. */
  restartFetch(input: {
    run: SyncRun;
    from: SyncPosition;
    now: Date;
  }): Promise<{ position: SyncPosition; run: SyncRun }>;

  /** `EXHAUSTED_CURSOR` on a fetch: the fetch is over, go on to `finishFetch` with the same cursor. */

  /** Shows the run as waiting; writes the run if it is not written yet. */
  markWaiting(input: {
    run: SyncRun;
    waitingFor: RunError;
    nextAttemptAt: Date | null;
    now: Date;
  }): Promise<SyncRun>;

  /** Ends the run. A scheduled delta that changed nothing leaves only `lastCheckedAt`. */
  finishRun(input: {
    run: SyncRun;
    state: 'succeeded' | 'failed' | 'cancelled';
    error: RunError | null;
    now: Date;
  }): Promise<SyncRun>;

  /**
   * What Apple's answer says about the token that expires then, set or cleared by any answer. A token
   * that has been swapped in meanwhile is not touched by an answer to the one before.
   */
  markTokenState(input: {
    integrationId: string;
    tokenExpiresAt: string;
    tokenState: 'valid' | 'terms_not_signed' | 'rejected';
    detail: string | null;
    now: Date;
  }): Promise<void>;
}

/** Long work as the API shows it. A sync run is one; its id is the run's. */
export interface Operation {
  id: string;
  kind: 'sync';
  integrationId: string;
  state: RunState;
  done: number;
  /** Null: not known, Apple does not say how much is to come. */
  total: number | null;
  waitingFor: string | null;
  nextAttemptAt: string | null;
  error: RunError | null;
  startedAt: string | null;
  finishedAt: string | null;
  /** The run itself, for those who want its counts. */
  run: SyncRun;
}

export interface SyncRunStore {
  /**
   * Sync Now. Joins an open run that does what is asked (any open run for `delta`; a full one for
   * `full`), else queues one; a queued delta is turned into a full one when `full` is asked.
   */
  request(input: {
    integrationId: string;
    mode: SyncMode;
    now: Date;
    actor: Actor;
  }): Promise<{ run: SyncRun; joined: boolean }>;
  find(id: string): Promise<SyncRun | undefined>;
  /** Ends a run that is queued; a running one is ended by its workflow. */
  cancelQueued(id: string, now: Date, actor: Actor): Promise<boolean>;
  /** Newest first. */
  list(integrationId: string, query: PageQuery): Promise<Page<SyncRun>>;
}
