import type { AuditEvent, AuditStore } from '../../domain/audit.ts';
import type { Database } from '../client.ts';
import { cursorForms, decodeCursor, encodeCursor } from '../cursor.ts';

interface AuditRow {
  id: string;
  at: Date;
  actor_kind: AuditEvent['actor']['kind'];
  actor_id: string | null;
  actor_name: string;
  request_id: string | null;
  action: string;
  object_type: string;
  object_id: string;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export function createAuditStore({ sql }: Pick<Database, 'sql'>): AuditStore {
  return {
    async list({ limit, cursor }) {
      // The id of an event is a cursor too: whoever follows the trail has it at hand.
      const isId = cursor !== null && cursorForms.number.test(cursor);
      const [after = '0'] = isId ? [cursor] : (decodeCursor(cursor, [cursorForms.number]) ?? []);
      const rows = await sql<AuditRow[]>`
        select * from audit_events where id > ${after}::text::bigint order by id limit ${limit + 1}`;
      const items = rows.slice(0, limit).map(toAuditEvent);
      const last = items.at(-1);
      return {
        items,
        nextCursor: rows.length > limit && last !== undefined ? encodeCursor([last.id]) : null,
      };
    },
  };
}

function toAuditEvent(row: AuditRow): AuditEvent {
  return {
    id: row.id,
    at: row.at.toISOString(),
    actor: {
      kind: row.actor_kind,
      id: row.actor_id,
      name: row.actor_name,
      requestId: row.request_id,
    },
    action: row.action,
    object: { type: row.object_type, id: row.object_id },
    before: row.before,
    after: row.after,
  };
}
