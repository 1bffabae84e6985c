import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import type { WalkInput, WalkResult } from '../activities/walk-input.ts';
import {
  syncNowUpdate,
  syncStartOptions,
  syncStatusQuery,
  syncWorkflowType,
  wakeSignal,
  type SyncStatus,
} from '../workflows/contract.ts';
import { blocked, finished, runOf, untilCancelled, waiting } from './fake-walk.ts';
import { withWorker } from './temporal.ts';

type Walk = (input: WalkInput) => WalkResult | Promise<WalkResult>;

/**
 * Leads a loop through everything that it can meet (several slices, Sync Now, a wait for Apple, a
 * pause in the middle of a walk, unsigned terms, a deleted integration) and returns its history.
 */
export async function playLoop(environment: TestWorkflowEnvironment, bundle: WorkflowBundle) {
  const { workflow } = environment.client;
  const soon = () => new Date(Date.now() + 500).toISOString();
  const goesOn: Walk = (input) => ({
    outcome: 'continues',
    run: runOf(input),
    position: { phase: 'fetch', cursor: 'cursor-0', walkId: 'walk' },
    restarted: false,
    failures: 0,
  });
  const script: Walk[] = [
    goesOn,
    finished,
    (input) => waiting(input, soon()),
    finished,
    untilCancelled,
    () => blocked('paused'),
    finished,
    () => blocked('terms_not_signed'),
    () => ({ outcome: 'gone' }),
  ];
  let walks = 0;
  const walkDevicePages = async (input: WalkInput) => {
    const walk = script[walks];
    walks += 1;
    if (walk === undefined) throw new TypeError('the story is over');
    return walk(input);
  };

  return withWorker(environment, bundle, { walkDevicePages }, async (taskQueue) => {
    const options = { ...syncStartOptions(randomUUID()), taskQueue };
    const loop = await workflow.start(syncWorkflowType, options);
    const reached = async (phase: SyncStatus['phase'], count: number) => {
      for (;;) {
        const status = await loop.query<SyncStatus>(syncStatusQuery);
        if (walks >= count && status.phase === phase) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const syncNow = () => loop.executeUpdate(syncNowUpdate, { args: [{ runId: null }] });

    await reached('idle', 2);
    await syncNow();
    const cut = syncNow().catch(() => undefined);
    await reached('walking', 5);
    await loop.signal(wakeSignal);
    await reached('paused', 6);
    await cut;
    await loop.signal(wakeSignal);
    await reached('idle', 7);
    await syncNow().catch(() => undefined);
    await reached('blocked', 8);
    await loop.signal(wakeSignal, 'token');
    await loop.result();
    return loop.fetchHistory();
  });
}
