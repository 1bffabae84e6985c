import { ScheduleAlreadyRunning, type Client, type ScheduleOptions } from '@temporalio/client';
import { searchAttributes, taskQueue, watchdogScheduleId } from './workflows/contract.ts';

/** `temporal.api.enums.v1.IndexedValueType` */
const keyword = 2;

/**
 * Registers the search attributes that are missing; Temporal refuses our workflows without them.
 * Throws where Temporal does not allow that: in Temporal Cloud they are added by hand.
 */
export async function ensureSearchAttributes(
  { connection }: Pick<Client, 'connection'>,
  namespace: string,
): Promise<void> {
  const known = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter(
    (name) => !(name in known.customAttributes),
  );
  if (missing.length === 0) return;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])),
  });
}

const watchdog: ScheduleOptions = {
  scheduleId: watchdogScheduleId,
  spec: { intervals: [{ every: '5 minutes' }] },
  // The default would catch up on a year of missed looks.
  policies: { overlap: 'SKIP', catchupWindow: '1 minute' },
  action: {
    type: 'startWorkflow',
    workflowType: 'watchLoops',
    workflowId: watchdogScheduleId,
    taskQueue,
    args: [],
  },
  state: { triggerImmediately: true },
};

/** The schedule that starts loops which should be there and are not; at most one exists. */
export async function ensureWatchdog({ schedule }: Pick<Client, 'schedule'>): Promise<void> {
  try {
    await schedule.create(watchdog);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, policies, action } = watchdog;
    const handle = schedule.getHandle(watchdogScheduleId);
    await handle.update(({ state }) => ({
      spec,
      policies: policies ?? {},
      action: { ...action, workflowId: watchdogScheduleId },
      state,
    }));
    await handle.trigger();
  }
}
