import { DomainError } from '../../domain/errors.ts';
import { actorOf } from '../actor.ts';
import { hashApiKey, newApiKeySecret } from '../api-key-secret.ts';
import type { ApiDeps } from '../deps.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, apiRoute, jsonBody, location } from '../route.ts';
import { apiKeySchema, createdApiKeySchema, newApiKeySchema } from '../schemas/api-key.ts';
import { idParams, pageOf, pageQuery } from '../schemas/common.ts';
import { newRouter } from './router.ts';

const tags = ['API keys'];

/** Who may use this API. */
export function apiKeyRoutes(deps: ApiDeps) {
  const { apiKeys, now } = deps;
  const repeatable = [idempotent(deps)];

  const create = apiRoute({ role: 'admin', middleware: repeatable }, {
    method: 'post',
    path: '/api-keys',
    operationId: 'createApiKey',
    summary: 'Make an API key',
    description: 'The secret is in this answer and nowhere else.',
    tags,
    request: { body: jsonBody(newApiKeySchema) },
    responses: {
      201: { ...answers('The key with its secret', createdApiKeySchema), ...location('the key') },
    },
  } as const);
  const list = apiRoute({ role: 'admin' }, {
    method: 'get',
    path: '/api-keys',
    operationId: 'listApiKeys',
    summary: 'List the API keys',
    tags,
    request: { query: pageQuery },
    responses: { 200: answers('A page of keys, without their secrets', pageOf(apiKeySchema)) },
  } as const);
  const revoke = apiRoute(
    { role: 'admin', errors: ['not_found', 'conflict'], middleware: repeatable },
    {
      method: 'delete',
      path: '/api-keys/{id}',
      operationId: 'revokeApiKey',
      summary: 'Revoke an API key at once',
      tags,
      request: { params: idParams },
      responses: { 204: { description: 'Revoked' } },
    } as const,
  );

  return newRouter()
    .openapi(create, async (c) => {
      const { name, role, expiresAt = null } = c.req.valid('json');
      const expiry = expiresAt === null ? null : futureTime(expiresAt, now());

      const secret = newApiKeySecret();
      const key = await apiKeys.create(
        { name, role, expiresAt: expiry, secretHash: hashApiKey(secret) },
        actorOf(c),
      );

      c.header('location', `/api/v1/api-keys/${key.id}`);
      return c.json({ ...key, secret }, 201);
    })
    .openapi(list, async (c) => {
      const { limit, cursor = null } = c.req.valid('query');

      return c.json(await apiKeys.list({ limit, cursor }), 200);
    })
    .openapi(revoke, async (c) => {
      const { id } = c.req.valid('param');

      await apiKeys.revoke(id, actorOf(c));

      return c.body(null, 204);
    });
}

function futureTime(value: string, now: Date): string {
  const time = new Date(value);
  if (time.getTime() > now.getTime()) return time.toISOString();
  throw new DomainError('invalid_request', 'expiresAt: Must be in the future', {
    fields: [{ path: 'expiresAt', message: 'Must be in the future' }],
  });
}
