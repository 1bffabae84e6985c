import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { DifferenceReport, RunState, SyncMode, SyncTrigger } from '../../domain/sync.ts';
import { moment } from './columns.ts';
import { integrations } from './integrations.ts';

export const syncRuns = pgTable(
  'sync_runs',
  {
    id: uuid('id').primaryKey(),
    integrationId: uuid('integration_id')
      .notNull()
      .references(() => integrations.id, { onDelete: 'cascade' }),
    trigger: text('trigger').$type<SyncTrigger>().notNull(),
    mode: text('mode').$type<SyncMode>().notNull(),
    state: text('state').$type<RunState>().notNull(),
    pages: integer('pages').notNull().default(0),
    added: integer('added').notNull().default(0),
    modified: integer('modified').notNull().default(0),
    removed: integer('removed').notNull().default(0),
    unchanged: integer('unchanged').notNull().default(0),
    queuedAt: moment('queued_at').notNull(),
    startedAt: moment('started_at'),
    finishedAt: moment('finished_at'),
    errorCode: text('error_code'),
    errorMessage: text('error_message'),
    waitingFor: text('waiting_for'),
    nextAttemptAt: moment('next_attempt_at'),
    report: jsonb('report').$type<DifferenceReport>(),
  },
  (table) => [
    check(
      'sync_runs_state',
      sql`${table.state} in ('queued', 'running', 'waiting', 'succeeded', 'failed', 'cancelled')`,
    ),
    check('sync_runs_mode', sql`${table.mode} in ('delta', 'full')`),
    index('sync_runs_newest').on(table.integrationId, table.queuedAt, table.id),
    // One walk at a time and one request in the queue: the database says so, not only the workflow.
    uniqueIndex('sync_runs_one_open')
      .on(table.integrationId)
      .where(sql`${table.state} in ('running', 'waiting')`),
    uniqueIndex('sync_runs_one_queued')
      .on(table.integrationId)
      .where(sql`${table.state} = 'queued'`),
  ],
);

export type SyncRunRow = typeof syncRuns.$inferSelect;
