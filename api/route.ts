import { createRoute, z, type RouteConfig } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { Role } from '../domain/api-key.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { ApiEnv } from './deps.ts';
import { emptyBodyIsNone } from './middleware/empty-body.ts';
import { problems } from './errors.ts';
import { bodyCap } from './middleware/body-cap.ts';
import { isIdempotent } from './middleware/idempotency.ts';
import { requireRole } from './middleware/authenticate.ts';
import { problemSchema } from './schemas/problem.ts';

interface Options {
  /** The smallest role that may do this. */
  role: Role;
  /** Codes that this call may answer with, besides those that every call has. */
  errors?: readonly ErrorCode[];
  /** Of the body; 64 KiB unless told. */
  maxBodyBytes?: number;
  /** Runs after the role and the size of the body are known to be right. */
  middleware?: readonly MiddlewareHandler<ApiEnv>[];
}

const codesOfEveryCall: readonly ErrorCode[] = [
  'invalid_request',
  'unauthorized',
  'forbidden',
  'rate_limited',
  'internal_error',
  'database_unavailable',
];
const nothing = z.strictObject({});

/**
 * A route of `/api/v1`: role first, then the size of the body, then its schemas. A call without a
 * query schema takes no query. The failures join the OpenAPI document but not the handler's type,
 * since failures are thrown.
 */
export function apiRoute<R extends Omit<RouteConfig, 'middleware'>>(options: Options, route: R): R {
  const { role, errors = [], maxBodyBytes = 64 * 1024, middleware = [] } = options;
  const hasBody = route.request?.body !== undefined;
  const repeatable = middleware.some(isIdempotent);
  const codes = [
    ...codesOfEveryCall,
    ...(hasBody ? bodyCodes : []),
    ...(repeatable ? repeatableCodes : []),
    ...errors,
  ];
  return createRoute({
    ...route,
    security: [{ apiKey: [] }],
    'x-required-role': role,
    request: { query: nothing, ...route.request },
    ...(repeatable ? { parameters: [idempotencyKey] } : {}),
    middleware: [
      requireRole(role),
      bodyCap(maxBodyBytes),
      ...middleware,
      ...(hasBody && route.request?.body?.required !== true ? [emptyBodyIsNone] : []),
    ],
    responses: {
      ...problemResponses(codes),
      ...route.responses,
    },
  });
}

const bodyCodes: readonly ErrorCode[] = [
  'malformed_json',
  'unsupported_media_type',
  'payload_too_large',
];

const repeatableCodes: readonly ErrorCode[] = ['conflict', 'idempotency_key_reused'];

/** Documented only: the middleware reads it, before the schemas are asked. */
const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header' as const,
  required: false,
  description:
    'New for each new request. A repetition under the same key gets the answer of the first for a day, with `Idempotency-Replayed: true`.',
  schema: { type: 'string' as const, pattern: '^[\\x21-\\x7e]{1,255}$' },
};

const header = (description: string, type: 'string' | 'integer' = 'string') => ({
  description,
  schema: { type },
});
const retryAfter = { 'Retry-After': header('Seconds after which to try again', 'integer') };
const problemHeaders: Record<number, Record<string, ReturnType<typeof header>>> = {
  401: { 'WWW-Authenticate': header('RFC 6750: `Bearer`, and what is wrong with the key') },
  429: retryAfter,
  503: retryAfter,
};

/** Of an answer that made or started something. */
export const location = (of: string) => ({ headers: { Location: header(`The path of ${of}`) } });

function problemResponses(codes: readonly ErrorCode[]): RouteConfig['responses'] {
  const statuses = new Set(codes.map((code) => problems[code].status));
  return Object.fromEntries(
    [...statuses].sort().map((status) => [
      status,
      {
        description: [...new Set(codes.filter((code) => problems[code].status === status))]
          .map((code) => `\`${code}\``)
          .join(', '),
        ...(problemHeaders[status] === undefined ? {} : { headers: problemHeaders[status] }),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  );
}

export const jsonBody = <S extends z.ZodType>(schema: S) => ({
  content: { 'application/json': { schema } },
  required: true as const,
});

export const answers = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { 'application/json': { schema } },
});
