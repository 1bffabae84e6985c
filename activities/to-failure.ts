import { ApplicationFailure, TemporalFailure } from '@temporalio/common';
import { AdeError } from '../apple/ade/errors.ts';
import { DomainError, type ErrorCode } from '../domain/errors.ts';
import { StaleWalkError } from '../domain/sync.ts';

/**
 * Is it worth doing the same again later? What a person or a new token must mend is not; what mends
 * itself, or is mended by a deployment, is.
 */
const retryable: Record<ErrorCode, boolean> = {
  invalid_request: false,
  malformed_json: false,
  unsupported_media_type: false,
  payload_too_large: false,
  unauthorized: false,
  forbidden: false,
  rate_limited: true,
  not_found: false,
  method_not_allowed: false,
  conflict: true,
  idempotency_key_reused: false,
  malformed_token: false,
  wrong_key: false,
  expired_token: false,
  superseded_token: false,
  access_denied: false,
  different_server: false,
  different_organization: false,
  server_already_connected: false,
  awaiting_token: false,
  token_expired: false,
  token_rejected: false,
  terms_not_signed: false,
  paused: false,
  apple_unreachable: true,
  apple_throttled: true,
  apple_refused: true,
  apple_bad_reply: true,
  apple_cursor_stuck: false,
  temporal_unavailable: true,
  database_unavailable: true,
  internal_error: true,
};

/** A fault of our own that has met so many attempts is not mended by the next one. */
const faultyAttempts = 5;

/**
 * What Temporal may know of an error of the `attempt`th try: type, whether to repeat, and a message
 * without a secret. The original is never its cause, since a failed query carries its parameters.
 */
export function toFailure(error: unknown, attempt: number): TemporalFailure {
  if (error instanceof TemporalFailure) return error;
  if (error instanceof StaleWalkError) return failure(error.message, 'stale_walk', true);
  if (error instanceof DomainError)
    return failure(error.message, error.code, retryable[error.code]);
  if (error instanceof AdeError) return failure(error.message, error.code, true);
  const { name, code } = rootOf(error);
  if (databaseIsAway(code))
    return failure(`The database is out of reach (${code}).`, 'database_unavailable', true);
  const told = code === '' ? name : `${name} ${code}`;
  return failure(
    `Internal error (${told}); the log of the worker has more.`,
    'internal_error',
    attempt < faultyAttempts,
  );
}

function failure(message: string, type: string, retry: boolean): ApplicationFailure {
  return ApplicationFailure.create({ message, type, nonRetryable: !retry });
}

/** The innermost cause tells best: libraries wrap the network's or Postgres' own error. */
function rootOf(error: unknown): { name: string; code: string } {
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error && at.cause instanceof Error; depth += 1)
    at = at.cause;
  if (!(at instanceof Error)) return { name: typeof at, code: '' };
  const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
  return { name: at.name, code };
}

// Node's words, postgres.js' words, and SQLSTATE classes 08, 53 and 57P (connection, resources, shutdown).
const away =
  /^(ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ETIMEDOUT|CONNECTION_|CONNECT_TIMEOUT|08|53|57P)/;
const databaseIsAway = (code: string) => away.test(code);
