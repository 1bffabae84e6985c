import type { Struck } from '../faults/faults.ts';
import { struckBy } from '../faults/transport.ts';
import type { MdmServer } from '../mdm-server.ts';
import type { World } from '../world.ts';
import { Refusal } from './refusal.ts';

const HEADER = 'x-adm-auth-session';

/**
 * Whose session a call carries. No session, or one that has run out, is 401 UNAUTHORIZED; one that
 * Apple does not know, or whose server token is dead, is 403 FORBIDDEN.
 */
export function requireSession(
  world: World,
  headers: Headers,
  struck: readonly Struck[],
): MdmServer {
  const token = headers.get(HEADER) ?? '';
  if (token === '') throw new Refusal(401, 'UNAUTHORIZED');
  const session = world.sessions.find(token);
  const server = session && world.servers.get(session.serverUuid);
  if (session === undefined || server === undefined) throw new Refusal(403, 'FORBIDDEN');

  const now = world.clock.seconds();
  const age = now - session.openedAt;
  if (age >= world.options.sessionLifetimeSeconds || struckBy(struck, 'session_expired')) {
    world.sessions.end(token);
    throw new Refusal(401, 'UNAUTHORIZED');
  }
  if (server.token === null || now >= server.token.expiresAt) throw new Refusal(403, 'FORBIDDEN');
  return server;
}

/** Where Apple rotates the session, the header that says so; the old token is dead unless kept. */
export function renewInAnswer(
  world: World,
  request: Request,
  server: MdmServer,
  struck: readonly Struck[],
): Record<string, string> {
  const rotation = struckBy(struck, 'session_rotates');
  if (rotation === undefined) return {};
  if (rotation.params.keepOld !== true) world.sessions.end(request.headers.get(HEADER) ?? '');
  return { 'X-ADM-Auth-Session': world.sessions.open(server.uuid, world.clock.ms()).token };
}
