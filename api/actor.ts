import type { Context } from 'hono';
import type { Actor } from '../domain/audit.ts';
import type { ApiEnv } from './deps.ts';

/** Who is behind a request, for the audit trail. */
export function actorOf(c: Context<ApiEnv>): Actor {
  const { id, name } = c.get('apiKey');
  return { kind: 'api_key', id, name, requestId: c.get('requestId') };
}
