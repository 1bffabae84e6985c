import { strikes } from '../faults/faults.ts';
import { struckBy } from '../faults/transport.ts';
import type { Call } from './call.ts';

const DAY_SECONDS = 24 * 3600;

/**
 * Which of these devices have been assigned too often: by a fault, or by the count of the last day
 * where `throttleAfter` is set. Asking again while throttled starts the day anew.
 */
export function splitThrottled(
  call: Call,
  devices: readonly number[],
): { throttled: Set<number>; retryAfterSeconds: number | null } {
  const { world, server } = call;
  const throttled = new Set<number>();
  const fault = struckBy(call.struck, 'throttled');
  if (fault) {
    const { fleet } = server.organization;
    for (const [nth, device] of devices.entries()) {
      if (strikes(fault, fleet.serial(device), nth)) throttled.add(device);
    }
  }
  const most = world.options.throttleAfter;
  if (most > 0) {
    const now = world.clock.seconds();
    for (const device of devices) {
      const seen = server.assignments.get(device);
      const isRecent = seen !== undefined && now - seen.since < DAY_SECONDS;
      const count = isRecent ? seen.count + 1 : 1;
      const isOver = count > most;
      if (isOver) throttled.add(device);
      const since = isRecent && !isOver ? seen.since : now;
      server.assignments.set(device, { since, count });
    }
  }
  const wait = fault?.params.retryAfterSeconds ?? DAY_SECONDS;
  return { throttled, retryAfterSeconds: throttled.size > 0 ? wait : null };
}
