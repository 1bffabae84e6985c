import { integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { integrations } from './integrations.ts';

// What a full fetch has seen, a row a page: the difference at its end costs one anti-join, and no
// device is written just because it is still there. Gone when the fetch is finished.
export const walkPages = pgTable(
  'walk_pages',
  {
    walkId: uuid('walk_id').notNull(),
    pageNo: integer('page_no').notNull(),
    integrationId: uuid('integration_id')
      .notNull()
      .references(() => integrations.id, { onDelete: 'cascade' }),
    serials: text('serials').array().notNull(),
    added: integer('added').notNull(),
    addedSample: text('added_sample').array().notNull(),
    changed: integer('changed').notNull(),
    changedSample: text('changed_sample').array().notNull(),
  },
  (table) => [primaryKey({ columns: [table.walkId, table.pageNo] })],
);
