import { sql } from 'drizzle-orm';
import { check, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import type { TokenState } from '../../domain/integration.ts';
import type { Organization } from '../../domain/token.ts';
import { moment } from './columns.ts';

export const integrations = pgTable(
  'integrations',
  {
    id: uuid('id').primaryKey(),
    name: text('name').notNull(),
    notifyEmails: text('notify_emails').array().notNull(),
    pageSize: integer('page_size').notNull(),
    tokenState: text('token_state').$type<TokenState>().notNull().default('none'),
    tokenStateDetail: text('token_state_detail'),
    tokenStateAt: moment('token_state_at'),
    tokenExpiresAt: moment('token_expires_at'),
    tokenUploadedAt: moment('token_uploaded_at'),
    pausedAt: moment('paused_at'),
    organization: jsonb('organization').$type<Organization>(),
    serverName: text('server_name'),
    serverUuid: text('server_uuid'),
    adminId: text('admin_id'),
    orgIdHash: text('org_id_hash'),
    fetchLimit: integer('fetch_limit'),
    syncLimit: integer('sync_limit'),
    createdAt: moment('created_at').notNull(),
    updatedAt: moment('updated_at').notNull(),
  },
  (table) => [
    check(
      'integrations_token_state',
      sql`${table.tokenState} in ('none', 'valid', 'terms_not_signed', 'rejected')`,
    ),
    check('integrations_page_size', sql`${table.pageSize} between 1 and 1000`),
    // Two integrations on one MDM server entry would fight over its devices. Several servers of one
    // organization are fine. Partial, so that PostgreSQL takes it for no key: changing it then does
    // not wait for those who hold a reference to the row.
    uniqueIndex('integrations_server_uuid')
      .on(table.serverUuid)
      .where(sql`${table.serverUuid} is not null`),
  ],
);

export type IntegrationRow = typeof integrations.$inferSelect;
