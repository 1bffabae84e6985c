import { sql } from 'drizzle-orm';
import type { Orm } from '../client.ts';
import { auditEvents } from '../schema/audit-events.ts';
import { auditLock, type NewAuditEvent } from './audit-trail.ts';

/** `appendAudit` for a transaction of the mapper's. */
export async function saveAuditEvent(tx: Orm, event: NewAuditEvent): Promise<void> {
  const { at, actor, action, object, before, after } = event;
  await tx.execute(sql`select pg_advisory_xact_lock(${auditLock})`);
  await tx.insert(auditEvents).values({
    at,
    actorKind: actor.kind,
    actorId: actor.id,
    actorName: actor.name,
    requestId: actor.requestId,
    action,
    objectType: object.type,
    objectId: object.id,
    before,
    after,
  });
}
