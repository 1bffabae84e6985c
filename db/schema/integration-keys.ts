import { sql } from 'drizzle-orm';
import { check, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { bytes, moment } from './columns.ts';
import { integrations } from './integrations.ts';

export const integrationKeys = pgTable(
  'integration_keys',
  {
    id: uuid('id').primaryKey(),
    integrationId: uuid('integration_id')
      .notNull()
      .references(() => integrations.id, { onDelete: 'cascade' }),
    role: text('role').$type<'current' | 'staged'>().notNull(),
    certificatePem: text('certificate_pem').notNull(),
    sealed: bytes('sealed').notNull(),
    keyId: text('key_id').notNull(),
    createdAt: moment('created_at').notNull(),
  },
  (table) => [
    unique('integration_keys_role_once').on(table.integrationId, table.role),
    check('integration_keys_role', sql`${table.role} in ('current', 'staged')`),
  ],
);
