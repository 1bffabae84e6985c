import { createRoute, z, type RouteConfig } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import type { Role } from '../domain/api-key.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { ApiEnv } from './deps.ts';
import { emptyBodyIsNone } from './middleware/empty-body.ts';
import { problems } from './errors.ts';
import { bodyCap } from './middleware/body-cap.ts';
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
  return createRoute({
    ...route,
    security: [{ apiKey: [] }],
    'x-required-role': role,
    request: { query: nothing, ...route.request },
    middleware: [
      requireRole(role),
      bodyCap(maxBodyBytes),
      ...middleware,
      ...(hasBody && route.request?.body?.required !== true ? [emptyBodyIsNone] : []),
    ],
    responses: {
      ...problemResponses([...codesOfEveryCall, ...(hasBody ? bodyCodes : []), ...errors]),
      ...route.responses,
    },
  });
}

const bodyCodes: readonly ErrorCode[] = [
  'malformed_json',
  'unsupported_media_type',
  'payload_too_large',
];

function problemResponses(codes: readonly ErrorCode[]): RouteConfig['responses'] {
  const statuses = new Set(codes.map((code) => problems[code].status));
  return Object.fromEntries(
    [...statuses].sort().map((status) => [
      status,
      {
        description: [...new Set(codes.filter((code) => problems[code].status === status))]
          .map((code) => `\`${code}\``)
          .join(', '),
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
