import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { bytes, moment } from './columns.ts';
import { integrations } from './integrations.ts';

export const serverTokens = pgTable('server_tokens', {
  integrationId: uuid('integration_id')
    .primaryKey()
    .references(() => integrations.id, { onDelete: 'cascade' }),
  sealed: bytes('sealed').notNull(),
  keyId: text('key_id').notNull(),
  expiresAt: moment('expires_at').notNull(),
});
