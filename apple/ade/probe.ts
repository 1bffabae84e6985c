import type { AdeCode } from '../../domain/ade.ts';
import { DomainError } from '../../domain/errors.ts';
import type { AdeAccount, ServerToken } from '../../domain/token.ts';
import { createAdeClient, type AdeClientDeps } from './client.ts';
import { AdeError } from './errors.ts';
import { createMemorySessions } from './memory-sessions.ts';

type TokenProof = { account: AdeAccount } | { termsNotSigned: true };

/** Asks Apple, with a session of its own, whether a token works; nothing is stored. */
export type TokenProbe = (token: ServerToken) => Promise<TokenProof>;

/**
 * `/session`, then `/account`. Unsigned terms prove the token good. Throws `DomainError`:
 * `superseded_token`, `expired_token`, `access_denied`, `apple_unreachable`, and `apple_refused` for
 * what neither token nor network explains, as a User-Agent that Apple does not take.
 */
export function createTokenProbe(
  deps: Omit<AdeClientDeps, 'integrationId' | 'credentials' | 'sessions'>,
): TokenProbe {
  return async (token) => {
    const client = createAdeClient({
      ...deps,
      integrationId: 'probe',
      credentials: async () => token,
      sessions: createMemorySessions(deps.now),
    });
    try {
      return { account: await client.account() };
    } catch (error) {
      if (!(error instanceof AdeError)) throw error;
      if (error.code === 'T_C_NOT_SIGNED') return { termsNotSigned: true };
      throw explain(error);
    }
  };
}

const superseded: ReadonlySet<AdeCode> = new Set<AdeCode>([
  'UNAUTHORIZED',
  'FORBIDDEN',
  'TOKEN_REJECTED',
  'SIGNATURE_INVALID',
]);
const passing: ReadonlySet<AdeCode> = new Set<AdeCode>([
  'SERVER_ERROR',
  'TOO_MANY_REQUESTS',
  'bad_reply',
  'unknown',
  'unreachable',
]);

function explain(error: AdeError): DomainError {
  const options = { cause: error };
  if (superseded.has(error.code))
    return new DomainError(
      'superseded_token',
      'Apple does not accept this token. Downloading a newer one in Apple Business Manager ends it at ' +
        `once: upload the newest, or download one more. Apple said: ${said(error)}`,
      options,
    );
  if (error.code === 'TOKEN_EXPIRED')
    return new DomainError(
      'expired_token',
      'Apple says that this token has expired. Download a new one in Apple Business Manager.',
      options,
    );
  if (error.code === 'ACCESS_DENIED')
    return new DomainError(
      'access_denied',
      'Apple denies this organization access to device assignment. Check in Apple Business Manager ' +
        'that the organization is verified and the server entry exists, then upload the token again.',
      options,
    );
  if (passing.has(error.code))
    return new DomainError(
      'apple_unreachable',
      `Apple could not be asked whether this token works, so nothing was changed. Try again ${
        error.retryAfterSeconds === null ? 'later' : `in ${error.retryAfterSeconds} seconds`
      }. ${error.message}`,
      options,
    );
  return new DomainError(
    'apple_refused',
    `Apple refused the question whether this token works, so nothing was changed. ${error.message}`,
    options,
  );
}

function said(error: AdeError): string {
  return error.detail === '' ? `HTTP ${error.status ?? 0}` : error.detail;
}
