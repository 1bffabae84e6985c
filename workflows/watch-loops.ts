import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

const { ensureLoops } = proxyActivities<Activities>({
  startToCloseTimeout: '2 minutes',
  // The next look comes in five minutes anyway.
  scheduleToCloseTimeout: '4 minutes',
  retry: { initialInterval: '2 seconds', maximumInterval: '30 seconds' },
});

/**
 * Starts every loop that should be there and is not: a start that was lost between a commit and
 * Temporal, a loop that somebody terminated, a Temporal namespace that was built anew.
 */
export async function watchLoops(): Promise<{ loops: number }> {
  return ensureLoops();
}
