import type { Operation, SyncRun } from '../../domain/sync.ts';

const ended = new Set<SyncRun['state']>(['succeeded', 'failed', 'cancelled']);

export const hasEnded = (run: SyncRun): boolean => ended.has(run.state);

/** A sync run as long work. Apple does not say how many devices are to come until they all have. */
export function operationOf(run: SyncRun): Operation {
  const done = run.added + run.modified + run.removed + run.unchanged;
  return {
    id: run.id,
    kind: 'sync',
    integrationId: run.integrationId,
    state: run.state,
    done,
    total: run.state === 'succeeded' ? done : null,
    waitingFor: run.waitingFor,
    nextAttemptAt: run.nextAttemptAt,
    error: run.error,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    run,
  };
}
