import type { Actor, AuditEvent } from '../../domain/audit.ts';
import type { Queries } from './sync-position.ts';

export type NewAuditEvent = Omit<AuditEvent, 'id' | 'at'> & { at: Date };

/** Serializes writers until they commit, so that ids grow in the order in which events appear. */
export const auditLock = 0x61_62_6d_32;

/** In the transaction of what it tells of. `before` and `after` hold no secret. */
export async function appendAudit(tx: Queries, event: NewAuditEvent): Promise<void> {
  const { at, actor, action, object, before, after } = event;
  await tx`select pg_advisory_xact_lock(${auditLock})`;
  await tx`
    insert into audit_events (at, actor_kind, actor_id, actor_name, request_id, action, object_type,
      object_id, before, after)
    values (${at}, ${actor.kind}, ${actor.id}, ${actor.name}, ${actor.requestId}, ${action},
      ${object.type}, ${object.id}, ${jsonText(before)}::text::jsonb, ${jsonText(after)}::text::jsonb)`;
}

export function systemActor(name: string): Actor {
  return { kind: 'system', id: null, name, requestId: null };
}

function jsonText(value: Record<string, unknown> | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
