/** Every failure that we name. A code is a promise to other programs: add, never rename. */
export const errorCodes = [
  // the request
  'invalid_request',
  'malformed_json',
  'unsupported_media_type',
  'payload_too_large',
  'unauthorized',
  'forbidden',
  'rate_limited',
  'not_found',
  'method_not_allowed',
  'conflict',
  'idempotency_key_reused',
  // a server token that is refused
  'malformed_token',
  'wrong_key',
  'expired_token',
  'superseded_token',
  'access_denied',
  'different_server',
  'different_organization',
  'server_already_connected',
  // a sync that cannot run
  'awaiting_token',
  'token_expired',
  'token_rejected',
  'terms_not_signed',
  'paused',
  // Apple and our own parts
  'apple_unreachable',
  'apple_throttled',
  'apple_refused',
  'apple_bad_reply',
  'apple_cursor_stuck',
  'temporal_unavailable',
  'database_unavailable',
  'internal_error',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface FieldError {
  /** Where, as a JSON-path-like string: `notifyEmails.0`, `query.limit`, `row 17`. */
  path: string;
  message: string;
}

/**
 * A failure with a stable code and a message for a person: what is wrong, which rule, what to do.
 * The message never holds a secret. `fields` names each bad field of an input.
 */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly fields: readonly FieldError[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { fields?: readonly FieldError[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DomainError';
    this.code = code;
    this.fields = options.fields ?? [];
  }
}

/** For the branch that the types say cannot happen. */
export function unreachable(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
