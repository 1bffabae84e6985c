import { bigint, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import type { Actor } from '../../domain/audit.ts';
import { moment } from './columns.ts';

// No foreign keys: the trail outlives what it tells of.
export const auditEvents = pgTable('audit_events', {
  id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  at: moment('at').notNull(),
  actorKind: text('actor_kind').$type<Actor['kind']>().notNull(),
  actorId: text('actor_id'),
  actorName: text('actor_name').notNull(),
  requestId: text('request_id'),
  action: text('action').notNull(),
  objectType: text('object_type').notNull(),
  objectId: text('object_id').notNull(),
  before: jsonb('before').$type<Record<string, unknown>>(),
  after: jsonb('after').$type<Record<string, unknown>>(),
});
