import type { WireDevice } from '../../apple/ade/wire.ts';
import { strikes, type Struck } from '../faults/faults.ts';
import { struckBy } from '../faults/transport.ts';

/** A page before it is written: entries are JSON already. */
export interface Page {
  entries: string[];
  serials: string[];
  cursor: string;
  /** Another cursor for the place that this page began at. */
  again: string;
  more: boolean;
}

/** What the faults that struck a call make of its page. */
export function bend(
  struck: readonly Struck[],
  sentCursor: string | undefined,
  straight: Page,
): Page {
  let page = straight;
  const missing = struckBy(struck, 'silently_missing');
  if (missing) {
    const entries = page.entries.filter((_, n) => !strikes(missing, page.serials[n] ?? '', n));
    page = { ...page, entries };
  }
  if (struckBy(struck, 'modified_on_move')) {
    page = { ...page, entries: page.entries.map(arrivalAsModified) };
  }
  if (struckBy(struck, 'odd_values')) {
    page = { ...page, entries: page.entries.map(withOddValues) };
  }
  if (struckBy(struck, 'duplicate_device_in_page')) {
    page = { ...page, entries: page.entries.concat(page.entries.slice(0, 1).map(olderTwin)) };
  }
  if (struckBy(struck, 'empty_page')) {
    page = { ...page, entries: [], more: true, cursor: page.again };
  }
  if (struckBy(struck, 'same_cursor') && sentCursor !== undefined) {
    page = { ...page, cursor: sentCursor, more: true };
  }
  return page;
}

function alter(entry: string, change: (device: Record<string, unknown>) => void): string {
  const device = JSON.parse(entry) as Record<string, unknown>;
  change(device);
  return JSON.stringify(device);
}

/** Seen where a device moves between servers: indistinguishable from the removal of its profile. */
function arrivalAsModified(entry: string): string {
  return alter(entry, (device) => {
    if (device['op_type'] !== 'added') return;
    device['op_type'] = 'modified';
    device['profile_status'] = 'removed';
  });
}

function withOddValues(entry: string): string {
  return alter(entry, (device) => {
    device['a_field_of_tomorrow'] = { nested: [null] };
    if (device['op_type'] === 'deleted') return;
    device['device_family'] = 'Watch';
    device['os'] = 'watchOS';
    device['color'] = null;
    device['profile_status'] = '';
    device['profile_push_time'] = '0001-01-01T00:00:00Z';
    device['device_assigned_by'] = '-1';
  });
}

/** The same device as it was an hour ago; in a fetch, where nothing has a date, an exact copy. */
function olderTwin(entry: string): string {
  return alter(entry, (changed) => {
    const device = changed as Partial<WireDevice>;
    if (device.op_date === undefined) return;
    const at = new Date(Date.parse(device.op_date) - 3_600_000).toISOString();
    device.op_date = `${at.slice(0, 19)}Z`;
    device.op_type = 'modified';
    device.asset_tag = 'STALE';
  });
}
