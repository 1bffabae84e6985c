import { sql } from 'drizzle-orm';
import { check, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import type { Role } from '../../domain/api-key.ts';
import { bytes, moment } from './columns.ts';

export const apiKeys = pgTable(
  'api_keys',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    role: text('role').$type<Role>().notNull(),
    // SHA-256; the secret has 256 random bits, so a slow hash would add nothing.
    secretHash: bytes('secret_hash').notNull(),
    expiresAt: moment('expires_at'),
    createdAt: moment('created_at').notNull(),
    lastUsedAt: moment('last_used_at'),
  },
  (table) => [
    unique('api_keys_secret_hash').on(table.secretHash),
    check('api_keys_role', sql`${table.role} in ('viewer', 'operator', 'admin')`),
    index('api_keys_oldest').on(table.createdAt, table.id),
  ],
);
