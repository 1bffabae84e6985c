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
  type WakeReason,
} from './contract.ts';
import { SyncRequests } from './sync-requests.ts';
import { afterWalk, freshState, withOpenRun, type Walked } from './sync-state.ts';
import { show, statusOf } from './sync-visibility.ts';

export const syncNow = defineUpdate<SyncNowResult, [SyncNowInput]>(syncNowUpdate);
export const wake = defineSignal<[WakeReason?]>(wakeSignal);
export const status = defineQuery<SyncStatus>(syncStatusQuery);

// One call is a slice of about a minute. Refusals of Apple's are results; what is thrown is our own
// trouble: Postgres away is tried again for as long as it lasts, the rest until the activity gives up.
const { walkDevicePages } = proxyActivities<Activities>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '15 seconds',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds' },
});

const cyclesADay = 288;

/**
 * Keeps the devices that Apple assigns to one server in Postgres: every five minutes, on Sync Now and
 * when somebody wakes it, it walks Apple's list from the last cursor to its end, for ever. Postgres
 * decides at each walk whether it may: what the loop remembers of a block is only shown.
 */
export async function syncDevices(input: SyncDevicesInput): Promise<void> {
  let state = input.carry ?? freshState(Date.now());
  let slice: CancellationScope | null = null;
  let woken: WakeReason | null = null;
  let asked = false;
  const requests = new SyncRequests();

  setHandler(status, () => statusOf(state, slice !== null));
  setHandler(wake, (reason = 'facts') => {
    if (woken !== 'token') woken = reason;
    // Its facts are old: it stops between two pages, and the next one reads them anew. A probe is short
    // and is left to end: one that is cut short for every Sync Now would call Apple every time.
    if (state.block === null || reason === 'token') slice?.cancel();
  });
  setHandler<SyncNowResult, [SyncNowInput], typeof syncNow>(syncNow, ({ runId }) => {
    const run = requests.join(runId, state.lastRun);
    // One that has ended is answered at once and wants no walk.
    asked ||= requests.open > 0;
    return run;
  });

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
    await until(state.nextLookAt, 'next look', () => woken !== null || asked);
    const earliest = Math.min(state.notBefore, state.nextLookAt);
    await until(earliest, 'not before', () => woken === 'token');
    const trigger = woken === 'token' ? 'token' : asked ? 'manual' : 'schedule';
    woken = null;
    asked = false;
    return trigger;
  }

  async function until(at: number, summary: string, nudged: () => boolean): Promise<void> {
    const patience = at - Date.now();
    if (patience > 0 && !nudged()) await condition(nudged, patience, { summary });
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
    // Who came during the walk may know newer facts than it read: for them the loop looks once more.
    if (outcome === 'blocked' && woken === null && !asked)
      requests.refuse(blockError(walked.block));
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
