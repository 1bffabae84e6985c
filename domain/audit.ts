import type { Page, PageQuery } from './page.ts';

/** Who did it. Mutating store calls take one and write the audit event in their own transaction. */
export interface Actor {
  kind: 'api_key' | 'system';
  id: string | null;
  name: string;
  requestId: string | null;
}

export interface AuditEvent {
  id: string;
  at: string;
  actor: Actor;
  /** `integration.created`, `token.activated`, `api_key.revoked`, … */
  action: string;
  object: { type: string; id: string };
  /** The object before and after, without a secret; null where there is none. */
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

export interface AuditStore {
  /** Oldest first, after the event that `cursor` names, so that a reader can follow the trail. */
  list(query: PageQuery): Promise<Page<AuditEvent>>;
}
