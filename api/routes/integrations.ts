import { actorOf } from '../actor.ts';
import type { ApiDeps } from '../deps.ts';
import { given } from '../given.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, apiRoute, jsonBody, location } from '../route.ts';
import { idParams, pageOf, pageQuery } from '../schemas/common.ts';
import {
  integrationPatchSchema,
  integrationSchema,
  newIntegrationSchema,
} from '../schemas/integration.ts';
import { viewIntegration } from '../views/integration.ts';
import { newRouter } from './router.ts';

const tags = ['Integrations'];

/** Connections to Apple: one for each MDM server in Apple Business Manager. */
export function integrationRoutes(deps: ApiDeps) {
  const { integrations, newTokenKey, sync } = deps;
  const repeatable = [idempotent(deps)];

  const create = apiRoute({ role: 'admin', errors: ['conflict'], middleware: repeatable }, {
    method: 'post',
    path: '/integrations',
    operationId: 'createIntegration',
    summary: 'Make an integration and its key pair',
    tags,
    request: { body: jsonBody(newIntegrationSchema) },
    responses: {
      201: {
        ...answers('Made; it awaits its server token', integrationSchema),
        ...location('the integration'),
      },
    },
  } as const);
  const list = apiRoute({ role: 'viewer' }, {
    method: 'get',
    path: '/integrations',
    operationId: 'listIntegrations',
    summary: 'List the integrations',
    tags,
    request: { query: pageQuery },
    responses: { 200: answers('A page of integrations', pageOf(integrationSchema)) },
  } as const);
  const show = apiRoute({ role: 'viewer', errors: ['not_found'] }, {
    method: 'get',
    path: '/integrations/{id}',
    operationId: 'getIntegration',
    summary: 'Show an integration with its token, its sync and its counts',
    tags,
    request: { params: idParams },
    responses: { 200: answers('The integration', integrationSchema) },
  } as const);
  const change = apiRoute({ role: 'admin', errors: ['not_found'], middleware: repeatable }, {
    method: 'patch',
    path: '/integrations/{id}',
    operationId: 'changeIntegration',
    summary: 'Change name, addresses to notify, or page size',
    tags,
    request: { params: idParams, body: jsonBody(integrationPatchSchema) },
    responses: { 200: answers('The integration', integrationSchema) },
  } as const);
  const remove = apiRoute(
    { role: 'admin', errors: ['not_found', 'temporal_unavailable'], middleware: repeatable },
    {
      method: 'delete',
      path: '/integrations/{id}',
      operationId: 'deleteIntegration',
      summary: 'Stop its sync and delete it with its devices, runs, keys and tokens',
      tags,
      request: { params: idParams },
      responses: { 204: { description: 'Deleted' } },
    } as const,
  );

  return newRouter()
    .openapi(create, async (c) => {
      const { name, notifyEmails = [], pageSize = 100 } = c.req.valid('json');

      const key = await newTokenKey({ name });
      const made = await integrations.create({ name, notifyEmails, pageSize, key }, actorOf(c));

      c.header('location', `/api/v1/integrations/${made.id}`);
      return c.json(await viewIntegration(deps, made), 201);
    })
    .openapi(list, async (c) => {
      const { limit, cursor = null } = c.req.valid('query');

      const page = await integrations.list({ limit, cursor });

      const items = await Promise.all(page.items.map((item) => viewIntegration(deps, item)));
      return c.json({ items, nextCursor: page.nextCursor }, 200);
    })
    .openapi(show, async (c) => {
      const { id } = c.req.valid('param');

      return c.json(await viewIntegration(deps, await integrations.get(id)), 200);
    })
    .openapi(change, async (c) => {
      const { id } = c.req.valid('param');
      const patch = given(c.req.valid('json'));

      const changed = await integrations.update(id, patch, actorOf(c));

      return c.json(await viewIntegration(deps, changed), 200);
    })
    .openapi(remove, async (c) => {
      const { id } = c.req.valid('param');

      await integrations.get(id);
      await sync.stop(id);
      await integrations.delete(id, actorOf(c));

      return c.body(null, 204);
    });
}
