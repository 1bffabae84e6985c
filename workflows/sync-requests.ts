import { ApplicationFailure } from '@temporalio/workflow';
import type { RunError, SyncRun } from '../domain/sync.ts';

interface Waiter {
  runId: string | null;
  /** Runs that have ended since it came and were not its own. */
  others: number;
  resolve: (run: SyncRun) => void;
  reject: (failure: ApplicationFailure) => void;
}

/** The callers of Sync Now that have no answer yet. Handlers only wait here; the loop does the work. */
export class SyncRequests {
  private waiters: Waiter[] = [];

  get open(): number {
    return this.waiters.length;
  }

  /** Waits for the end of a run: of the named one, or of whichever ends next. */
  join(runId: string | null, lastRun: SyncRun | null): Promise<SyncRun> {
    if (runId !== null && lastRun?.id === runId) return outcomeOf(lastRun);
    return new Promise((resolve, reject) => {
      this.waiters.push({ runId, others: 0, resolve, reject });
    });
  }

  /**
   * A run has ended. A caller whose run is not among the next two is answered with the second: its
   * own was cancelled, or ended before it asked.
   */
  settle(run: SyncRun): void {
    const [done, left] = partition(this.waiters, (waiter) => {
      if (waiter.runId === null || waiter.runId === run.id) return true;
      waiter.others += 1;
      return waiter.others > 1;
    });
    this.waiters = left;
    for (const waiter of done) outcomeOf(run).then(waiter.resolve, waiter.reject);
  }

  /** Answers everybody with a run as it stands. */
  release(run: SyncRun): void {
    for (const waiter of this.waiters.splice(0)) waiter.resolve(run);
  }

  refuse(error: RunError): void {
    for (const waiter of this.waiters.splice(0)) waiter.reject(toFailure(error));
  }
}

export function toFailure(error: RunError): ApplicationFailure {
  return ApplicationFailure.nonRetryable(error.message, error.code);
}

function outcomeOf(run: SyncRun): Promise<SyncRun> {
  if (run.state === 'succeeded' || run.error === null) return Promise.resolve(run);
  return Promise.reject(toFailure(run.error));
}

function partition<T>(items: T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = [];
  const no: T[] = [];
  for (const item of items) (test(item) ? yes : no).push(item);
  return [yes, no];
}
