import { sql } from 'drizzle-orm';
import { check, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { moment } from './columns.ts';
import { integrations } from './integrations.ts';

// No index but the primary key: the update of an idle cycle then stays on its page (HOT).
export const syncPositions = pgTable(
  'sync_positions',
  {
    integrationId: uuid('integration_id')
      .primaryKey()
      .references(() => integrations.id, { onDelete: 'cascade' }),
    phase: text('phase').$type<'fetch' | 'sync'>().notNull().default('fetch'),
    cursor: text('cursor'),
    cursorAt: moment('cursor_at'),
    walkId: uuid('walk_id'),
    walkStartedAt: moment('walk_started_at'),
    lastFullAt: moment('last_full_at'),
    lastCheckedAt: moment('last_checked_at'),
  },
  (table) => [
    check('sync_positions_phase', sql`${table.phase} in ('fetch', 'sync')`),
    check(
      'sync_positions_delta_has_cursor',
      sql`${table.phase} = 'fetch' or ${table.cursor} is not null`,
    ),
  ],
);
