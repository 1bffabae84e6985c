import type { AdeCode, DevicePage } from './ade.ts';
import type { SyncPosition } from './sync.ts';
import { unreachable } from './errors.ts';

export type NextStep =
  /** The page is written; walk on from the new cursor. */
  | { step: 'next_page' }
  /** The full fetch is at its end: reconcile, then walk the delta from this cursor. */
  | { step: 'finish_fetch' }
  /** Apple has nothing more: the run is done. */
  | { step: 'finished' }
  /** The cursor is of no use any more: one new full fetch in this run. */
  | { step: 'restart_fetch' }
  /** Apple repeats a cursor or keeps refusing it: keep what we have, end the run, say so. */
  | { step: 'give_up'; reason: 'apple_cursor_stuck' }
  /** The token cannot be used; a person must act. */
  | { step: 'block'; tokenState: 'rejected' | 'terms_not_signed' }
  /** Try the same request again later. */
  | { step: 'wait' }
  /** Apple refused in a way that a repetition will not change. */
  | { step: 'fail' };

export type StepAfterPage = Extract<
  NextStep,
  { step: 'next_page' | 'finish_fetch' | 'finished' | 'give_up' }
>;
export type StepAfterRefusal = Exclude<NextStep, { step: 'next_page' | 'finished' }>;

/** What a page that Apple gave, asked for at `from`, means for the walk. */
export function planAfterPage(
  from: SyncPosition,
  page: Pick<DevicePage, 'cursor' | 'moreToFollow'>,
): StepAfterPage {
  if (page.moreToFollow && page.cursor === from.cursor)
    return { step: 'give_up', reason: 'apple_cursor_stuck' };
  if (page.moreToFollow) return { step: 'next_page' };
  return from.phase === 'fetch' ? { step: 'finish_fetch' } : { step: 'finished' };
}

/**
 * What a refusal of Apple's, to a page asked for at `from`, means for the walk. `restarted` says
 * whether this run has already thrown its cursor away once.
 */
export function planAfterRefusal(
  from: SyncPosition,
  code: AdeCode,
  history: { restarted: boolean },
): StepAfterRefusal {
  switch (code) {
    case 'EXHAUSTED_CURSOR':
      // On a fetch it says "all delivered"; on a delta it is one more way to say "unusable".
      return from.phase === 'fetch' && from.cursor !== null
        ? { step: 'finish_fetch' }
        : restartOnce(history);
    case 'EXPIRED_CURSOR':
    case 'INVALID_CURSOR':
    case 'CURSOR_REQUIRED':
      return restartOnce(history);
    case 'T_C_NOT_SIGNED':
      return { step: 'block', tokenState: 'terms_not_signed' };
    case 'ACCESS_DENIED':
    case 'FORBIDDEN':
    case 'SIGNATURE_INVALID':
    case 'TOKEN_EXPIRED':
    case 'TOKEN_REJECTED':
    case 'UNAUTHORIZED':
      return { step: 'block', tokenState: 'rejected' };
    case 'SERVER_ERROR':
    case 'TOO_MANY_REQUESTS':
    case 'bad_reply':
    case 'unknown':
    case 'unreachable':
      return { step: 'wait' };
    case 'APPLE_SEED_FOR_IT_TURNED_OFF':
    case 'CONFIG_NAME_INVALID':
    case 'CONFIG_NAME_REQUIRED':
    case 'CONFIG_URL_INVALID':
    case 'CONFIG_URL_REQUIRED':
    case 'DEPARTMENT_INVALID':
    case 'DEPARTMENT_REQUIRED':
    case 'DEVICE_ID_INVALID':
    case 'DEVICE_ID_REQUIRED':
    case 'DEVICE_NOT_FOUND':
    case 'FLAGS_INVALID':
    case 'LOCALE_INVALID':
    case 'MAGIC_INVALID':
    case 'MALFORMED_REQUEST_BODY':
    case 'MESSAGE_FORMAT_ERROR':
    case 'METHOD_NOT_ALLOWED':
    case 'NOT_FOUND':
    case 'ORG_NOT_SUPPORTED':
    case 'PROFILE_NOT_FOUND':
    case 'PROFILE_UUID_REQUIRED':
    case 'SUPPORT_EMAIL_INVALID':
    case 'SUPPORT_PHONE_INVALID':
    case 'SUPPORT_PHONE_REQUIRED':
    case 'USER_AGENT_INVALID':
    case 'USER_AGENT_MISSING':
      return { step: 'fail' };
    default:
      return unreachable(code);
  }
}

function restartOnce(history: { restarted: boolean }): StepAfterRefusal {
  return history.restarted
    ? { step: 'give_up', reason: 'apple_cursor_stuck' }
    : { step: 'restart_fetch' };
}

const firstWaitSeconds = 5;
const longestWaitSeconds = 300;
const longestRetryAfterSeconds = 6 * 3600;

/**
 * How long to wait after the n-th failure in a row (1 = first). Apple's own `Retry-After` is heeded
 * up to six hours. `jitter` is a number from 0 to 1.
 */
export function waitSecondsAfter(
  failures: number,
  retryAfterSeconds: number | null,
  jitter: number,
): number {
  if (retryAfterSeconds !== null)
    return Math.min(Math.max(retryAfterSeconds, 1), longestRetryAfterSeconds);
  const base = Math.min(firstWaitSeconds * 2 ** Math.max(0, failures - 1), longestWaitSeconds);
  return Math.ceil(base * (0.75 + jitter * 0.25));
}
