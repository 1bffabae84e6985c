import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { moment, plainText } from './columns.ts';

// The serial alone is the key: a device that moves between two of our integrations keeps its row and
// its history. No foreign key to integrations: it would cost a look-up a row in every first load, and
// a page cannot be written without locking the position of its integration, which goes first.
export const devices = pgTable(
  'devices',
  {
    serial: plainText('serial').primaryKey(),
    integrationId: uuid('integration_id').notNull(),
    presence: plainText('presence').notNull(),
    assignmentState: plainText('assignment_state').notNull(),
    enrollmentState: plainText('enrollment_state').notNull().default('not_enrolled'),
    os: plainText('os').notNull(),
    // '' is "Apple said none": the columns of the list's index must be comparable as a row.
    family: plainText('family').notNull(),
    model: text('model'),
    description: plainText('description'),
    color: text('color'),
    assetTag: plainText('asset_tag'),
    assignedAt: moment('assigned_at'),
    assignedBy: text('assigned_by'),
    profileStatus: text('profile_status'),
    profileUuid: text('profile_uuid'),
    profileAssignedAt: moment('profile_assigned_at'),
    profilePushedAt: moment('profile_pushed_at'),
    attributes: jsonb('attributes').notNull(),
    // The newest operation that Apple has told us: an older one never overwrites what is here.
    opType: text('op_type'),
    opAt: moment('op_at'),
    assignmentError: text('assignment_error'),
    assignmentNextAt: moment('assignment_next_at'),
    assignmentAttempts: integer('assignment_attempts').notNull().default(0),
    enrolledAt: moment('enrolled_at'),
    removedAt: moment('removed_at'),
    firstSeenAt: moment('first_seen_at').notNull(),
    firstRunId: uuid('first_run_id'),
    updatedAt: moment('updated_at').notNull(),
  },
  (table) => [
    check('devices_presence', sql`${table.presence} in ('present', 'removed', 'staged')`),
    // Serves every filter of the list, the counts of an integration, and the difference of sets.
    index('devices_facets').on(
      table.integrationId,
      table.presence,
      table.assignmentState,
      table.enrollmentState,
      table.os,
      table.family,
      table.serial,
    ),
    index('devices_description').on(table.description, table.serial),
    index('devices_asset_tag')
      .on(sql`lower(${table.assetTag})`, table.serial)
      .where(sql`${table.assetTag} is not null`),
  ],
);
