import { expect, test } from 'vitest';
import { blocked, farExpiry, finished, idlePosition, runOf, waiting } from '../test/fake-walk.ts';
import type { WalkInput } from '../activities/walk-input.ts';
import type { SyncBlock, SyncRun } from '../domain/sync.ts';
import type { SyncCarry } from './contract.ts';
import { afterWalk, freshState, nextDueAfter, withOpenRun, type Walked } from './sync-state.ts';

const now = Date.parse('2026-01-01T00:00:00.000Z');
const seconds = (count: number) => count * 1_000;
const minutes = (count: number) => count * 60_000;
const iso = (at: number) => new Date(at).toISOString();

const input: WalkInput = {
  integrationId: 'integration-1',
  runId: 'run-1',
  trigger: 'schedule',
  position: idlePosition,
  restarted: false,
  failures: 0,
  block: null,
};
const dueSoon = now + minutes(3);
const walking: SyncCarry = {
  ...freshState(now),
  position: idlePosition,
  nextDueAt: dueSoon,
  open: { runId: 'run-1', trigger: 'schedule', run: null, restarted: false },
};
const refused: SyncRun = {
  ...runOf(input),
  state: 'failed',
  error: { code: 'apple_refused', message: 'no' },
};
const failed: Walked = { outcome: 'failed', run: refused, position: idlePosition };
const fault = { code: 'internal_error', message: 'Internal error (TypeError).' };

test.each<[string, Walked, number, number]>([
  ['a finished run: at the next due time, whoever asks first', finished(input), dueSoon, 0],
  ['a failed run: the same, but no sooner than in 5 s', failed, dueSoon, now + seconds(5)],
  ['a fault of our own: the same', { outcome: 'broken', error: fault }, dueSoon, now + seconds(5)],
  ['a slice that ended: at once', { ...restOf(), outcome: 'continues' }, now, 0],
  ['a slice that was cut short: at once', { outcome: 'interrupted' }, now, 0],
  [
    'Apple away: after the back-off, sooner if asked, but not within 5 s',
    waiting(input, iso(now + seconds(40))),
    now + seconds(40),
    now + seconds(5),
  ],
  [
    'a time that Apple named: then, and no sooner',
    waiting(input, iso(now + seconds(40)), true),
    now + seconds(40),
    now + seconds(40),
  ],
])('the loop acts next after %s', (_, walked, nextLookAt, notBefore) => {
  expect(afterWalk(walking, walked, now)).toMatchObject({ nextLookAt, notBefore });
});

test.each<[SyncBlock, number]>([
  ['awaiting_token', 0],
  ['token_expired', 0],
  ['paused', 0],
  ['token_rejected', seconds(5)],
  ['terms_not_signed', seconds(5)],
])(
  'a loop that is blocked by %s looks again in five minutes without being woken',
  (block, wait) => {
    const state = afterWalk(walking, blocked(block, farExpiry), now);
    expect(state).toMatchObject({
      block,
      open: null,
      waitingFor: null,
      nextLookAt: now + minutes(5),
      notBefore: wait === 0 ? 0 : now + wait,
      tokenExpiresAt: Date.parse(farExpiry),
    });
  },
);

test('a block, a wait and a fault are over with the first good answer', () => {
  for (const held of [
    afterWalk(walking, blocked('terms_not_signed'), now),
    afterWalk(walking, waiting(input, iso(now + minutes(9)), true), now),
    afterWalk(walking, { outcome: 'broken', error: fault }, now),
  ])
    expect(afterWalk(held, finished(input), now)).toMatchObject({
      block: null,
      waitingFor: null,
      notBefore: 0,
      failures: 0,
      open: null,
    });
});

test('failures in a row are counted over faults of our own too', () => {
  const once = afterWalk(walking, { outcome: 'broken', error: fault }, now);
  expect(once).toMatchObject({ failures: 1, open: null, waitingFor: fault });
  expect(afterWalk(once, { outcome: 'broken', error: fault }, now).failures).toBe(2);
});

test('the moment a token expires comes before what else is planned, and only once', () => {
  const soon = afterWalk(walking, finished(input, iso(now + seconds(90))), now);
  expect(soon.nextLookAt).toBe(now + seconds(91));
  const past = afterWalk(walking, finished(input, iso(now - seconds(90))), now);
  expect(past.nextLookAt).toBe(dueSoon);
});

test.each<[string, number | null, number, number]>([
  ['the first run', null, now, now + minutes(5)],
  ['a run on time', now, now, now + minutes(5)],
  ['a run that is late by less than a turn', now, now + minutes(2), now + minutes(5)],
  ['a run that is late by a turn', now, now + minutes(5), now + minutes(10)],
  ['a run before its time', now + minutes(2), now, now + minutes(5)],
])('%s sets the next due time', (_, due, at, next) => {
  expect(nextDueAfter(due, at)).toBe(next);
});

test('a walk belongs to the open run, else to a new one, the first of which is initial', () => {
  const fresh = { runId: 'run-2', trigger: 'manual' as const, now };
  expect(withOpenRun(walking, fresh).open).toBe(walking.open);
  expect(withOpenRun({ ...walking, open: null }, fresh).open).toEqual({
    runId: 'run-2',
    trigger: 'manual',
    run: null,
    restarted: false,
  });
  expect(withOpenRun(freshState(now), fresh).open.trigger).toBe('initial');
});

test('an open run keeps its id and trigger from one slice to the next', () => {
  const taken = { ...runOf({ ...input, runId: 'queued-1' }), trigger: 'manual' as const };
  const state = afterWalk(walking, { ...restOf(), outcome: 'continues', run: taken }, now);
  expect(state.open).toMatchObject({ runId: 'queued-1', trigger: 'schedule', run: taken });
});

function restOf() {
  return { run: runOf(input), position: idlePosition, restarted: false, failures: 0 };
}
