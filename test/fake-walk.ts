import { Context } from '@temporalio/activity';
import type { WalkInput, WalkResult } from '../activities/walk-input.ts';
import type { SyncBlock, SyncPosition, SyncRun } from '../domain/sync.ts';

export const farExpiry = '2100-01-01T00:00:00.000Z';

export const idlePosition: SyncPosition = { phase: 'sync', cursor: 'cursor-1', walkId: null };

export function runOf(input: Pick<WalkInput, 'runId' | 'integrationId' | 'trigger'>): SyncRun {
  return {
    id: input.runId,
    integrationId: input.integrationId,
    trigger: input.trigger,
    mode: 'delta',
    state: 'running',
    pages: 1,
    added: 0,
    modified: 0,
    removed: 0,
    unchanged: 0,
    queuedAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: null,
    error: null,
    waitingFor: null,
    nextAttemptAt: null,
    report: null,
  };
}

export function finished(input: WalkInput, tokenExpiresAt = farExpiry): WalkResult {
  const run: SyncRun = {
    ...runOf(input),
    state: 'succeeded',
    finishedAt: '2026-01-01T00:00:01.000Z',
  };
  return { outcome: 'finished', run, position: idlePosition, tokenExpiresAt };
}

export function blocked(block: SyncBlock, tokenExpiresAt: string | null = null): WalkResult {
  return { outcome: 'blocked', block, run: null, tokenExpiresAt };
}

export function waiting(input: WalkInput, until: string, heldByApple = false): WalkResult {
  return {
    outcome: 'waiting',
    run: { ...runOf(input), state: 'waiting' },
    position: idlePosition,
    restarted: input.restarted,
    failures: input.failures + 1,
    waitingFor: { code: 'apple_unreachable', message: 'no answer from Apple' },
    until,
    heldByApple,
  };
}

/** A walk that goes on until it is cut short, as the real one does between two pages. */
export async function untilCancelled(input: WalkInput): Promise<WalkResult> {
  const { cancellationSignal, heartbeat } = Context.current();
  const beating = setInterval(() => {
    heartbeat();
  }, 50);
  await new Promise<void>((resolve) => {
    cancellationSignal.addEventListener('abort', () => {
      resolve();
    });
  });
  clearInterval(beating);
  const { restarted, failures } = input;
  return { outcome: 'continues', run: runOf(input), position: idlePosition, restarted, failures };
}
