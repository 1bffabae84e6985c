import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { DomainError, type ErrorCode, type FieldError } from '../domain/errors.ts';
import type { ApiEnv } from './deps.ts';
import { isDatabaseOutage } from './outage.ts';

/** The one place where a failure becomes a status and a title. */
export const problems: Record<ErrorCode, { status: ContentfulStatusCode; title: string }> = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  malformed_json: { status: 400, title: 'The body is not JSON' },
  unsupported_media_type: { status: 415, title: 'The content type is not accepted here' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unauthorized: { status: 401, title: 'A valid API key is needed' },
  forbidden: { status: 403, title: 'The API key may not do this' },
  rate_limited: { status: 429, title: 'Too many attempts' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'This conflicts with the present state' },
  idempotency_key_reused: {
    status: 422,
    title: 'The idempotency key was used for another request',
  },

  malformed_token: { status: 422, title: 'This is not a server token file' },
  wrong_key: { status: 422, title: 'The token was made for another public key' },
  expired_token: { status: 422, title: 'The token has expired' },
  superseded_token: { status: 422, title: 'A newer token has replaced this one' },
  access_denied: { status: 422, title: 'Apple denies this token access' },
  different_server: { status: 422, title: 'The token belongs to another MDM server' },
  different_organization: { status: 422, title: 'The token belongs to another organization' },
  server_already_connected: { status: 422, title: 'This MDM server is connected already' },

  awaiting_token: { status: 409, title: 'There is no server token yet' },
  token_expired: { status: 409, title: 'The server token has expired' },
  token_rejected: { status: 409, title: 'Apple rejects the server token' },
  terms_not_signed: { status: 409, title: "Apple's terms are not signed" },
  paused: { status: 409, title: 'The integration is paused' },

  apple_unreachable: { status: 502, title: 'Apple is out of reach' },
  apple_throttled: { status: 503, title: 'Apple asks us to wait' },
  apple_refused: { status: 502, title: 'Apple refused the request' },
  apple_bad_reply: { status: 502, title: "Apple's answer cannot be understood" },
  apple_cursor_stuck: { status: 502, title: "Apple's list does not move on" },
  temporal_unavailable: { status: 503, title: 'The workflow engine is out of reach' },
  database_unavailable: { status: 503, title: 'The database is out of reach' },
  internal_error: { status: 500, title: 'Something went wrong on our side' },
};

const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  apple_throttled: 60,
  temporal_unavailable: 5,
  database_unavailable: 5,
};

export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  requestId: string;
  errors?: FieldError[];
}

/** RFC 9457. `extra` adds members and headers that a caller of ours can promise to hold no secret. */
export function problem(
  c: Context<ApiEnv>,
  failure: { code: ErrorCode; detail: string; fields?: readonly FieldError[] },
  extra: { headers?: Record<string, string>; members?: Record<string, unknown> } = {},
): Response {
  const { status, title } = problems[failure.code];
  const body: Problem = {
    type: `urn:guardmdm:problem:${failure.code}`,
    title,
    status,
    detail: failure.detail,
    code: failure.code,
    requestId: c.get('requestId'),
    ...(failure.fields !== undefined && failure.fields.length > 0
      ? { errors: [...failure.fields] }
      : {}),
  };
  const wait = retryAfterSeconds[failure.code];
  return c.body(JSON.stringify({ ...body, ...extra.members }), status, {
    'content-type': 'application/problem+json',
    ...(wait === undefined ? {} : { 'retry-after': String(wait) }),
    ...extra.headers,
  });
}

/** A failure that carries headers of its own, such as `WWW-Authenticate`. */
export class ApiError extends DomainError {
  readonly headers: Record<string, string>;

  constructor(code: ErrorCode, message: string, headers: Record<string, string>) {
    super(code, message);
    this.headers = headers;
  }
}

/** Everything that is thrown below ends here. What is not ours says its request id and nothing else. */
export const answerFailure: ErrorHandler<ApiEnv> = (error, c) => {
  const failure = toFailure(error);
  if (failure.code === 'internal_error') logBug(error, c);
  if (failure.code === 'database_unavailable' || failure.code === 'temporal_unavailable')
    c.get('logger').warn({ code: failure.code }, 'a part that the request needs is out of reach');
  return problem(
    c,
    failure.code === 'internal_error'
      ? { code: failure.code, detail: `The log says more under request id ${c.get('requestId')}.` }
      : failure,
    { headers: error instanceof ApiError ? error.headers : {} },
  );
};

export const answerUnknownPath: NotFoundHandler<ApiEnv> = (c) =>
  problem(c, {
    code: 'not_found',
    detail: 'There is nothing under this path; /api/v1/openapi.json lists what there is.',
  });

function toFailure(error: Error): {
  code: ErrorCode;
  detail: string;
  fields?: readonly FieldError[];
} {
  if (error instanceof DomainError)
    return { code: error.code, detail: error.message, fields: error.fields };
  if (error instanceof HTTPException) return ofFramework(error);
  if (isDatabaseOutage(error))
    return {
      code: 'database_unavailable',
      detail: 'The database does not answer at the moment; try again in a few seconds.',
    };
  return { code: 'internal_error', detail: '' };
}

/** The router's and the validators' own refusals. */
function ofFramework(error: HTTPException): { code: ErrorCode; detail: string } {
  const status: number = error.status;
  if (status === 415)
    return {
      code: 'unsupported_media_type',
      detail: 'Send the body as one of the content types that /api/v1/openapi.json lists.',
    };
  if (status !== 400) return { code: 'internal_error', detail: '' };
  return error.message.startsWith('Malformed JSON')
    ? { code: 'malformed_json', detail: 'The body must be one JSON document in UTF-8.' }
    : { code: 'invalid_request', detail: 'The body cannot be read as its content type says.' };
}

/**
 * A driver's error quotes SQL and parameters, an HTTP client's the request: of a foreign error only
 * its class, its code and where it was thrown are logged.
 */
function logBug(error: Error, c: Context<ApiEnv>): void {
  const code = (error as { code?: unknown }).code;
  c.get('logger').error(
    {
      error: error.name,
      ...(typeof code === 'string' && /^[\w-]{1,40}$/.test(code) ? { code } : {}),
      at: stackFrames(error),
      ...(error.cause instanceof Error
        ? { cause: error.cause.name, causeAt: stackFrames(error.cause) }
        : {}),
    },
    'a request failed unexpectedly',
  );
}

/** Where it was thrown, without the message that heads a stack. */
function stackFrames(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at .{1,300}:\d+:\d+\)?$/.test(line))
    .map((line) => line.trim())
    .slice(0, 12);
}
