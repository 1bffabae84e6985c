import type { AppleDevice } from '../../domain/device.ts';
import { storableSerial } from './device-facts.ts';

/** What all entries of one page say about one device, taken together. */
export interface MergedEntry {
  serial: string;
  /** The newest entry that is no deletion; null: the page only says that the device is gone. */
  facts: AppleDevice | null;
  /** Its operation's date; null: undated, which is newer than whatever is stored. */
  factsAt: string | null;
  gone: boolean;
  /** Date of the operation that says whether the device is gone; null: undated. */
  goneAt: string | null;
  /** The newest dated operation, against which later pages are compared. */
  newest: { type: 'added' | 'modified' | 'deleted'; at: string } | null;
}

/**
 * One entry a device: the newest operation wins, a deletion beats what happened in the same second,
 * and where one of two has no date the later entry wins. The facts outlive a deletion that follows them.
 */
export function mergeEntries(devices: readonly AppleDevice[]): MergedEntry[] {
  const merged = new Map<string, MergedEntry>();
  for (const device of devices) {
    const serial = storableSerial(device.serial);
    const before = merged.get(serial);
    const after = before === undefined ? first(serial, device) : follow(before, device);
    if (after !== before) merged.set(serial, after);
  }
  return [...merged.values()];
}

function first(serial: string, device: AppleDevice): MergedEntry {
  const nothing: MergedEntry = {
    serial,
    facts: null,
    factsAt: null,
    gone: false,
    goneAt: null,
    newest: null,
  };
  return follow(nothing, device);
}

function follow(before: MergedEntry, device: AppleDevice): MergedEntry {
  const type = device.operation?.type ?? null;
  const at = device.operation?.at ?? null;
  if (at !== null && isOlder({ type, at }, before.newest)) return before;
  const gone = type === 'deleted';
  return {
    serial: before.serial,
    facts: gone ? before.facts : device,
    factsAt: gone ? before.factsAt : at,
    gone,
    goneAt: at,
    newest: at === null || type === null ? before.newest : { type, at },
  };
}

function isOlder(
  entry: { type: string | null; at: string },
  newest: MergedEntry['newest'],
): boolean {
  if (newest === null) return false;
  const difference = Date.parse(entry.at) - Date.parse(newest.at);
  if (difference !== 0) return difference < 0;
  return newest.type === 'deleted' && entry.type !== 'deleted';
}
