import { sql } from 'drizzle-orm';
import { bigint, check, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { moment, plainText } from './columns.ts';

// The first sight of a device is not here but in `devices.first_seen_at` and `first_run_id`: a first
// full walk would otherwise write every device twice.
export const deviceEvents = pgTable(
  'device_events',
  {
    id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
    serial: plainText('serial').notNull(),
    at: moment('at').notNull(),
    kind: text('kind').notNull(),
    runId: uuid('run_id'),
    changes: jsonb('changes').notNull(),
  },
  (table) => [
    check('device_events_kind', sql`${table.kind} in ('modified', 'removed', 'returned', 'moved')`),
    index('device_events_of_device').on(table.serial, table.id),
  ],
);
