import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AdeCode, adeCodes } from './ade.ts';
import { type NextStep, planAfterPage, planAfterRefusal, waitSecondsAfter } from './plan-sync.ts';
import type { SyncPosition } from './sync.ts';

const fetchStart: SyncPosition = { phase: 'fetch', cursor: null, walkId: 'walk' };
const fetching: SyncPosition = { phase: 'fetch', cursor: 'c1', walkId: 'walk' };
const syncing: SyncPosition = { phase: 'sync', cursor: 'c1', walkId: null };

describe('after a page', () => {
  test.each<[string, SyncPosition, string, boolean, NextStep]>([
    ['the first of many', fetchStart, 'c1', true, { step: 'next_page' }],
    ['of a fetch with more to come', fetching, 'c2', true, { step: 'next_page' }],
    ['that ends a fetch', fetching, 'c2', false, { step: 'finish_fetch' }],
    ['that ends a fetch and repeats the cursor', fetching, 'c1', false, { step: 'finish_fetch' }],
    ['that is the whole fetch', fetchStart, 'c1', false, { step: 'finish_fetch' }],
    ['of a delta with more to come', syncing, 'c2', true, { step: 'next_page' }],
    ['that ends a delta', syncing, 'c2', false, { step: 'finished' }],
    [
      'of an idle delta, whose cursor may stay the same',
      syncing,
      'c1',
      false,
      { step: 'finished' },
    ],
    ['that repeats the cursor of a fetch with more to come', fetching, 'c1', true, stuck()],
    ['that repeats the cursor of a delta with more to come', syncing, 'c1', true, stuck()],
    ['whose cursor differs in case alone', syncing, 'C1', true, { step: 'next_page' }],
  ])('%s', (_, from, cursor, moreToFollow, next) => {
    expect(planAfterPage(from, { cursor, moreToFollow })).toEqual(next);
  });
});

/** Every code but the two kinds of cursor trouble, which depend on where the walk stands. */
const meaning: Record<Exclude<AdeCode, CursorCode>, NextStep> = {
  T_C_NOT_SIGNED: { step: 'block', tokenState: 'terms_not_signed' },
  ACCESS_DENIED: { step: 'block', tokenState: 'rejected' },
  FORBIDDEN: { step: 'block', tokenState: 'rejected' },
  SIGNATURE_INVALID: { step: 'block', tokenState: 'rejected' },
  TOKEN_EXPIRED: { step: 'block', tokenState: 'rejected' },
  TOKEN_REJECTED: { step: 'block', tokenState: 'rejected' },
  UNAUTHORIZED: { step: 'block', tokenState: 'rejected' },
  SERVER_ERROR: { step: 'wait' },
  TOO_MANY_REQUESTS: { step: 'wait' },
  bad_reply: { step: 'wait' },
  unknown: { step: 'wait' },
  unreachable: { step: 'wait' },
  APPLE_SEED_FOR_IT_TURNED_OFF: { step: 'fail' },
  CONFIG_NAME_INVALID: { step: 'fail' },
  CONFIG_NAME_REQUIRED: { step: 'fail' },
  CONFIG_URL_INVALID: { step: 'fail' },
  CONFIG_URL_REQUIRED: { step: 'fail' },
  DEPARTMENT_INVALID: { step: 'fail' },
  DEPARTMENT_REQUIRED: { step: 'fail' },
  DEVICE_ID_INVALID: { step: 'fail' },
  DEVICE_ID_REQUIRED: { step: 'fail' },
  DEVICE_NOT_FOUND: { step: 'fail' },
  FLAGS_INVALID: { step: 'fail' },
  LOCALE_INVALID: { step: 'fail' },
  MAGIC_INVALID: { step: 'fail' },
  MALFORMED_REQUEST_BODY: { step: 'fail' },
  MESSAGE_FORMAT_ERROR: { step: 'fail' },
  METHOD_NOT_ALLOWED: { step: 'fail' },
  NOT_FOUND: { step: 'fail' },
  ORG_NOT_SUPPORTED: { step: 'fail' },
  PROFILE_NOT_FOUND: { step: 'fail' },
  PROFILE_UUID_REQUIRED: { step: 'fail' },
  SUPPORT_EMAIL_INVALID: { step: 'fail' },
  SUPPORT_PHONE_INVALID: { step: 'fail' },
  SUPPORT_PHONE_REQUIRED: { step: 'fail' },
  USER_AGENT_INVALID: { step: 'fail' },
  USER_AGENT_MISSING: { step: 'fail' },
};

type CursorCode = (typeof cursorCodes)[number];
const cursorCodes = [
  'CURSOR_REQUIRED',
  'EXHAUSTED_CURSOR',
  'EXPIRED_CURSOR',
  'INVALID_CURSOR',
] as const;

describe('after a refusal', () => {
  test.each(Object.entries(meaning) as [AdeCode, NextStep][])(
    '%s means the same wherever the walk stands',
    (code, next) => {
      for (const from of [fetchStart, fetching, syncing])
        for (const restarted of [false, true])
          expect(planAfterRefusal(from, code, { restarted })).toEqual(next);
    },
  );

  test.each<[CursorCode, string, SyncPosition, NextStep, NextStep]>([
    ['EXPIRED_CURSOR', 'in a fetch', fetching, { step: 'restart_fetch' }, stuck()],
    ['EXPIRED_CURSOR', 'in a delta', syncing, { step: 'restart_fetch' }, stuck()],
    ['INVALID_CURSOR', 'in a fetch', fetching, { step: 'restart_fetch' }, stuck()],
    ['INVALID_CURSOR', 'in a delta', syncing, { step: 'restart_fetch' }, stuck()],
    ['CURSOR_REQUIRED', 'in a delta', syncing, { step: 'restart_fetch' }, stuck()],
    ['EXHAUSTED_CURSOR', 'in a delta', syncing, { step: 'restart_fetch' }, stuck()],
    ['EXHAUSTED_CURSOR', 'at the start', fetchStart, { step: 'restart_fetch' }, stuck()],
    [
      'EXHAUSTED_CURSOR',
      'in a fetch, where it says that all is delivered',
      fetching,
      { step: 'finish_fetch' },
      { step: 'finish_fetch' },
    ],
  ])('%s %s, the first and the second time in a run', (code, _, from, first, second) => {
    expect(planAfterRefusal(from, code, { restarted: false })).toEqual(first);
    expect(planAfterRefusal(from, code, { restarted: true })).toEqual(second);
  });

  test('every code of Apple has its row above', () => {
    const rows = [...Object.keys(meaning), ...cursorCodes];

    expect(rows.toSorted()).toEqual([...adeCodes].toSorted());
  });
});

describe('the wait', () => {
  test.each([
    ['after the first failure', 1, null, 1, 5],
    ['after the second', 2, null, 1, 10],
    ['after the fourth', 4, null, 1, 40],
    ['after the seventh, where it stops growing', 7, null, 1, 300],
    ['after a month of failures', 8000, null, 1, 300],
    ['with the least jitter, three quarters', 1, null, 0, 4],
    ['with the least jitter, at its longest', 20, null, 0, 225],
    ['without a failure, as after the first', 0, null, 1, 5],
    ['that Apple asks for', 1, 120, 0.5, 120],
    ['that Apple asks for, whatever failed before', 30, 7, 0.5, 7],
    ['of zero by Apple, at least a second', 1, 0, 0.5, 1],
    ['of the past by Apple, at least a second', 1, -30, 0.5, 1],
    ['of a week by Apple, at most six hours', 1, 604_800, 0.5, 21_600],
  ])('%s', (_, failures, retryAfter, jitter, seconds) => {
    expect(waitSecondsAfter(failures, retryAfter, jitter)).toBe(seconds);
  });

  test('is a whole number from 4 to 300 seconds for any number of failures and any jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (failures, jitter) => {
          const seconds = waitSecondsAfter(failures, null, jitter);
          expect(Number.isInteger(seconds)).toBe(true);
          expect(seconds).toBeGreaterThanOrEqual(4);
          expect(seconds).toBeLessThanOrEqual(300);
        },
      ),
    );
  });
});

function stuck(): NextStep {
  return { step: 'give_up', reason: 'apple_cursor_stuck' };
}
