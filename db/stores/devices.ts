import type { Sql } from 'postgres';
import type { Device, DeviceFilter, DeviceStore, TimelineEntry } from '../../domain/device.ts';
import type { Database } from '../client.ts';
import { cursorForms, decodeCursor, encodeCursor, pageOf } from '../cursor.ts';
import { listAfter } from './device-list.ts';
import {
  toDevice,
  toTimelineEntry,
  type DeviceColumns,
  type DeviceEventColumns,
} from './device-rows.ts';

const chunkSize = 1000;

export function createDeviceStore({ sql }: Pick<Database, 'sql'>): DeviceStore {
  const findRow = async (serial: string): Promise<DeviceColumns | undefined> => {
    if (serial.includes('\0')) return undefined;
    const [row] = await sql<DeviceColumns[]>`select * from devices where serial = ${serial}`;
    return row;
  };

  return {
    async find(serial) {
      const row = await findRow(serial);
      return row === undefined ? undefined : toDevice(row);
    },

    async list(filter, { limit, cursor }) {
      const [after = ''] = decodeCursor(cursor, [cursorForms.serial]) ?? [];
      if (isImpossible(filter)) return { items: [], nextCursor: null };
      const rows = await listAfter(sql, filter, after, limit + 1);
      return pageOf(rows, limit, toDevice, (row) => [row.serial]);
    },

    stream: (filter) => streamAll(sql, filter),

    async timeline(serial, { limit, cursor }) {
      const [before = null] = decodeCursor(cursor, [cursorForms.number]) ?? [];
      const device = await findRow(serial);
      if (device === undefined) return { items: [], nextCursor: null };
      const rows = await sql<DeviceEventColumns[]>`
        select id, at, kind, run_id, changes from device_events
        where serial = ${serial} and (${before}::text is null or id < ${before}::text::bigint)
        order by id desc limit ${limit + 1}`;
      const items = rows.slice(0, limit).map(toTimelineEntry);
      if (items.length < limit) return { items: [...items, firstSight(device)], nextCursor: null };
      return { items, nextCursor: encodeCursor([items.at(-1)?.id ?? '0']) };
    },
  };
}

/** A query a chunk and nothing held between: a reader may take as long as it likes. */
async function* streamAll(sql: Sql, filter: DeviceFilter): AsyncGenerator<Device[]> {
  if (isImpossible(filter)) return;
  let after = '';
  for (;;) {
    const rows = await listAfter(sql, filter, after, chunkSize);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(toDevice);
    if (rows.length < chunkSize) return;
    after = last.serial;
  }
}

/** An id that is no id names no integration; PostgreSQL would call it an error. */
function isImpossible({ integrationId, family }: DeviceFilter): boolean {
  if (family?.includes('\0')) return true;
  return integrationId !== undefined && !cursorForms.uuid.test(integrationId);
}

/** Not an event of its own: the device's row holds it. */
function firstSight(device: DeviceColumns): TimelineEntry {
  return {
    id: '0',
    at: device.first_seen_at.toISOString(),
    kind: 'added',
    runId: device.first_run_id,
    changes: {},
  };
}
