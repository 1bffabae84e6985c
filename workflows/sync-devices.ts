import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  proxyActivities,
  setHandler,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { WalkInput } from '../activities/walk-input.ts';
import { blockError } from '../domain/block-error.ts';
import type { SyncTrigger } from '../domain/sync.ts';
import {
  syncNowUpdate,
  syncStatusQuery,
  wakeSignal,
  type SyncDevicesInput,
  type SyncNowInput,
  type SyncNowResult,
  type SyncStatus,
} from './contract.ts';
import { SyncRequests, toFailure } from './sync-requests.ts';
import { afterWalk, freshState, withOpenRun, type Walked } from './sync-state.ts';
import { show, statusOf } from './sync-visibility.ts';

export const syncNow = defineUpdate<SyncNowResult, [SyncNowInput]>(syncNowUpdate);
export const wake = defineSignal(wakeSignal);
export const status = defineQuery<SyncStatus>(syncStatusQuery);

// One call is a slice of about a minute. Refusals of Apple's are results; what is thrown is our own
// trouble (Postgres away), and it is worth trying again for as long as it lasts.
const { walkDevicePages } = proxyActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '15 seconds',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

const cyclesADay = 288;

/**
 * Keeps the devices that Apple assigns to one server in Postgres: every five minutes, on Sync Now and
 * when somebody wakes it, it walks Apple's list from the last cursor to its end, for ever.
 */
export async function syncDevices(input: SyncDevicesInput): Promise<void> {
  let state = input.carry ?? freshState(Date.now());
  let slice: CancellationScope | null = null;
  let woken: 'token' | 'schedule' | null = null;
  let asked = false;
  const requests = new SyncRequests();

  setHandler(status, () => statusOf(state, slice !== null));
  setHandler(wake, () => {
    woken = state.block === null || state.block === 'paused' ? 'schedule' : 'token';
    state = { ...state, block: null };
    // Its facts are old: it stops between two pages, and the next one reads them anew.
    slice?.cancel();
  });
  setHandler<SyncNowResult, [SyncNowInput], typeof syncNow>(
    syncNow,
    ({ runId }) => {
      asked = true;
      return requests.join(runId, state.lastRun);
    },
    {
      validator: () => {
        if (state.block !== null) throw toFailure(blockError(state.block));
      },
    },
  );

  for (let cycles = 1; ; cycles += 1) {
    const trigger = await untilDueOrAsked();
    const opened = withOpenRun(state, { runId: uuid4(), trigger, now: Date.now() });
    state = opened;
    const walked = await walk({
      integrationId: input.integrationId,
      runId: opened.open.runId,
      trigger: opened.open.trigger,
      position: opened.position,
      restarted: opened.open.restarted,
      failures: opened.failures,
      block: opened.block,
    });
    state = afterWalk(state, walked, Date.now());
    answer(walked);
    if (walked.outcome === 'gone') return condition(allHandlersFinished);
    show(state);
    if (cycles >= (input.maxCycles ?? cyclesADay) || workflowInfo().continueAsNewSuggested)
      await continueUnlessAsked();
  }

  async function untilDueOrAsked(): Promise<SyncTrigger> {
    const nudged = () => woken !== null || (asked && !state.heldByApple);
    const patience = state.nextLookAt - Date.now();
    if (patience > 0 && !nudged()) await condition(nudged, patience, { summary: 'next look' });
    const trigger = woken ?? (asked ? 'manual' : 'schedule');
    woken = null;
    asked = false;
    return trigger;
  }

  async function walk(from: WalkInput): Promise<Walked> {
    slice = new CancellationScope();
    const summary = `walk on by ${from.trigger}, ${from.position?.phase ?? 'from the start'}`;
    try {
      return await slice.run(() => walkDevicePages.executeWithOptions({ summary }, [from]));
    } catch (error) {
      if (CancellationScope.current().consideredCancelled || !(error instanceof ActivityFailure))
        throw error;
      if (isCancellation(error)) return { outcome: 'interrupted' };
      const code = error.cause instanceof ApplicationFailure ? error.cause.type : null;
      const message = error.cause?.message ?? error.message;
      return { outcome: 'broken', error: { code: code ?? 'internal_error', message } };
    } finally {
      slice = null;
    }
  }

  function answer(walked: Walked): void {
    const { outcome } = walked;
    if (outcome === 'finished' || outcome === 'failed') requests.settle(walked.run);
    if (outcome === 'blocked') requests.refuse(blockError(walked.block));
    if (outcome === 'broken') requests.refuse(walked.error);
    if (outcome === 'gone') requests.refuse({ code: 'not_found', message: 'It was deleted.' });
    // Who still waits after the end of a run wants another one; a run that goes on is joined.
    asked = state.open === null && requests.open > 0;
  }

  /** Handlers must end with this run of the workflow, and they end only by the loop's own work. */
  async function continueUnlessAsked(): Promise<void> {
    if (state.waitingFor !== null && state.open?.run) requests.release(state.open.run);
    await condition(() => allHandlersFinished() || requests.open > 0);
    if (requests.open > 0 || woken !== null) return;
    await continueAsNew<typeof syncDevices>({ ...input, carry: state });
  }
}
