/** The state of a sync loop and how it moves: plain values, no Temporal, no clock of its own. */
import type { WalkResult } from '../activities/walk-input.ts';
import { unreachable } from '../domain/errors.ts';
import {
  syncIntervalSeconds,
  type RunError,
  type SyncBlock,
  type SyncTrigger,
} from '../domain/sync.ts';
import type { SyncCarry } from './contract.ts';

/** What a call of the walk came to, in the eyes of the loop. */
export type Walked =
  | WalkResult
  /** Cut short before it could say where it stands. */
  | { outcome: 'interrupted' }
  /** Our own fault, and one that a repetition does not mend. */
  | { outcome: 'broken'; error: RunError };

const interval = syncIntervalSeconds * 1000;
/** Between a failure and the next call, however often somebody asks. */
const spacing = 5_000;
// The clocks of Temporal and of a worker differ by a little.
const clockSkew = 1_000;

export function freshState(now: number): SyncCarry {
  return {
    position: null,
    nextDueAt: null,
    nextLookAt: now,
    tokenExpiresAt: null,
    failures: 0,
    open: null,
    block: null,
    waitingFor: null,
    notBefore: 0,
    lastRun: null,
  };
}

/** Keeps the five-minute grid while runs begin on time; an early or very late one starts a new grid. */
export function nextDueAfter(due: number | null, now: number): number {
  return (due !== null && now >= due && now < due + interval ? due : now) + interval;
}

/** The run that the next walk belongs to: the open one, or a new one. */
export function withOpenRun(
  state: SyncCarry,
  fresh: { runId: string; trigger: SyncTrigger; now: number },
): SyncCarry & { open: NonNullable<SyncCarry['open']> } {
  if (state.open !== null) return { ...state, open: state.open };
  const trigger: SyncTrigger =
    state.position === null && state.lastRun === null ? 'initial' : fresh.trigger;
  return {
    ...state,
    open: { runId: fresh.runId, trigger, run: null, restarted: false },
    nextDueAt: nextDueAfter(state.nextDueAt, fresh.now),
  };
}

export function afterWalk(state: SyncCarry, walked: Walked, now: number): SyncCarry {
  const clear = { block: null, waitingFor: null, notBefore: 0 };
  const nextDueAt = state.nextDueAt ?? now + interval;
  switch (walked.outcome) {
    case 'finished': {
      const tokenExpiresAt = Date.parse(walked.tokenExpiresAt);
      const { run: lastRun, position } = walked;
      const known = { ...state, ...clear, lastRun, position, tokenExpiresAt, failures: 0 };
      return beforeExpiry({ ...known, open: null, nextDueAt, nextLookAt: nextDueAt }, now);
    }
    case 'failed': {
      const { run: lastRun, position } = walked;
      const known = { ...state, ...clear, lastRun, position, failures: 0, open: null };
      return beforeExpiry(
        { ...known, nextDueAt, nextLookAt: nextDueAt, notBefore: now + spacing },
        now,
      );
    }
    case 'continues': {
      const { position, failures } = walked;
      return {
        ...state,
        ...clear,
        position,
        failures,
        open: openRun(state, walked),
        nextLookAt: now,
      };
    }
    case 'waiting': {
      const { position, failures, waitingFor, heldByApple } = walked;
      const nextLookAt = Date.parse(walked.until);
      const notBefore = heldByApple ? nextLookAt : now + spacing;
      const known = { ...state, block: null, position, failures, waitingFor, notBefore };
      return beforeExpiry({ ...known, open: openRun(state, walked), nextLookAt }, now);
    }
    case 'blocked':
      return {
        ...state,
        ...clear,
        block: walked.block,
        open: null,
        lastRun: walked.run ?? state.lastRun,
        failures: 0,
        tokenExpiresAt: walked.tokenExpiresAt === null ? null : Date.parse(walked.tokenExpiresAt),
        nextDueAt: null,
        // Whatever the block: a wake may be lost, and while Postgres says no Apple is not asked.
        nextLookAt: now + interval,
        notBefore: isOfApple(walked.block) ? now + spacing : 0,
      };
    case 'interrupted':
      return { ...state, nextLookAt: now };
    case 'broken':
      return {
        ...state,
        ...clear,
        waitingFor: walked.error,
        failures: state.failures + 1,
        open: null,
        nextDueAt,
        nextLookAt: nextDueAt,
        notBefore: now + spacing,
      };
    case 'gone':
      return state;
    default:
      return unreachable(walked);
  }
}

function openRun(
  state: SyncCarry,
  walked: Extract<WalkResult, { restarted: boolean }>,
): SyncCarry['open'] {
  const { run, restarted } = walked;
  return { runId: run.id, trigger: state.open?.trigger ?? run.trigger, run, restarted };
}

/** The moment at which the token runs out is a reason to look, whatever else is planned. */
function beforeExpiry(state: SyncCarry, now: number): SyncCarry {
  if (state.tokenExpiresAt === null) return state;
  const expiry = state.tokenExpiresAt + clockSkew;
  return expiry > now && expiry < state.nextLookAt ? { ...state, nextLookAt: expiry } : state;
}

/** Whether a look may cost a call to Apple; the other blocks are facts in Postgres. */
function isOfApple(block: SyncBlock): boolean {
  return block === 'terms_not_signed' || block === 'token_rejected';
}
