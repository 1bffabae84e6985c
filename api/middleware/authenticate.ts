import type { MiddlewareHandler } from 'hono';
import { roleCovers, type ApiKey, type Role } from '../../domain/api-key.ts';
import { DomainError } from '../../domain/errors.ts';
import { hashApiKey, isSameHash } from '../api-key-secret.ts';
import { clientAddress, clientNetwork } from '../client-address.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { FailedKeys } from './failed-keys.ts';
import { RecentKeys } from './recent-keys.ts';

type Deps = Pick<ApiDeps, 'apiKeys' | 'now'>;

/** Finds out who is asking, from `Authorization: Bearer <api key>` (RFC 6750). */
export function authenticate(deps: Deps): MiddlewareHandler<ApiEnv> {
  const failed = new FailedKeys();
  const recent = new RecentKeys();

  return async function authenticate(c, next) {
    if (c.req.method === 'OPTIONS') {
      await next();
      return;
    }
    const secret = bearer(c.req.header('authorization'));
    if (secret === null) throw missingKey();

    const now = deps.now();
    const hash = hashApiKey(secret);
    const network = clientNetwork(clientAddress(c));
    const wait = failed.waitSeconds(network, now);
    // Behind one address there may be others, whose keys we have seen work: they are let through.
    if (wait > 0 && !recent.has(hash)) throw tooManyFailures(wait);

    const found = await deps.apiKeys.findByHash(hash, now);
    if (found === undefined || !isSameHash(found.secretHash, hash)) {
      recent.forget(hash);
      failed.note(network, now);
      throw wrongKey();
    }
    const { key } = found;
    if (recent.note(hash, now)) await markUsed(deps, key, now);
    c.set('apiKey', key);
    await next();
  };
}

/** Refuses who may not do this. Comes before a body is read or a field is judged. */
export function requireRole(needed: Role): MiddlewareHandler<ApiEnv> {
  return async function requireRole(c, next) {
    const { role } = c.get('apiKey');
    if (!roleCovers(role, needed))
      throw new DomainError(
        'forbidden',
        `This needs an API key with the role ${needed}; yours has the role ${role}.`,
      );
    await next();
  };
}

function bearer(header: string | undefined): string | null {
  return /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(header ?? '')?.[1] ?? null;
}

/** A mark that cannot be written must not keep anybody out. */
async function markUsed(deps: Deps, key: ApiKey, now: Date): Promise<void> {
  await deps.apiKeys.markUsed(key.id, now).catch(() => undefined);
}

const missingKey = () =>
  new ApiError('unauthorized', 'Send an API key: "Authorization: Bearer <api key>".', {
    'www-authenticate': 'Bearer realm="guardmdm"',
  });

const wrongKey = () =>
  new ApiError('unauthorized', 'This API key is not known, has expired or was revoked.', {
    'www-authenticate': 'Bearer realm="guardmdm", error="invalid_token"',
  });

const tooManyFailures = (seconds: number) =>
  new ApiError(
    'rate_limited',
    `Too many wrong API keys came from your address; try again in ${seconds} seconds.`,
    { 'retry-after': String(seconds) },
  );
