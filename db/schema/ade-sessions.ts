import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { bytes, moment } from './columns.ts';
import { integrations } from './integrations.ts';

export const adeSessions = pgTable('ade_sessions', {
  integrationId: uuid('integration_id')
    .primaryKey()
    .references(() => integrations.id, { onDelete: 'cascade' }),
  // Both null after a new server token: the session is gone, the generation still grows.
  sealed: bytes('sealed'),
  keyId: text('key_id'),
  generation: integer('generation').notNull(),
  claimedUntil: moment('claimed_until'),
});
