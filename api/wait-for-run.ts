import { setTimeout as sleep } from 'node:timers/promises';
import type { SyncRun } from '../domain/sync.ts';
import { hasEnded } from './views/operation.ts';

/**
 * Reads a run until it has ended, `seconds` are over or somebody loses interest (a client that is
 * gone, a process that stops). Answers with the run as it stands.
 */
export async function waitForRun(
  read: () => Promise<SyncRun | undefined>,
  seconds: number,
  interest: AbortSignal,
): Promise<SyncRun | undefined> {
  const until = performance.now() + seconds * 1000;
  let run = await read();
  for (let pause = 50; run !== undefined && !hasEnded(run); pause = Math.min(pause * 2, 1000)) {
    const left = until - performance.now();
    if (left <= 0 || interest.aborted) return run;
    await sleep(Math.min(pause, left), undefined, { signal: interest }).catch(() => undefined);
    run = await read();
  }
  return run;
}
