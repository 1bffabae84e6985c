import { z } from '@hono/zod-openapi';
import { DomainError } from '../../domain/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, apiRoute } from '../route.ts';
import { idParams, pageOf, pageQuery } from '../schemas/common.ts';
import { syncRunSchema } from '../schemas/sync-run.ts';
import { newRouter } from './router.ts';

const tags = ['Sync'];
const runParams = idParams.extend({
  runId: z.guid().openapi({ param: { name: 'runId', in: 'path' } }),
});

/** What the syncs of an integration came to; kept for ever. */
export function syncRunRoutes({ integrations, syncRuns }: ApiDeps) {
  const list = apiRoute({ role: 'viewer', errors: ['not_found'] }, {
    method: 'get',
    path: '/integrations/{id}/sync-runs',
    operationId: 'listSyncRuns',
    summary: 'List the sync runs, newest first',
    tags,
    request: { params: idParams, query: pageQuery },
    responses: { 200: answers('A page of runs', pageOf(syncRunSchema)) },
  } as const);
  const show = apiRoute({ role: 'viewer', errors: ['not_found'] }, {
    method: 'get',
    path: '/integrations/{id}/sync-runs/{runId}',
    operationId: 'getSyncRun',
    summary: 'Show one sync run',
    tags,
    request: { params: runParams },
    responses: { 200: answers('The run', syncRunSchema) },
  } as const);

  return newRouter()
    .openapi(list, async (c) => {
      const { id } = c.req.valid('param');
      const { limit, cursor = null } = c.req.valid('query');

      await integrations.get(id);
      return c.json(await syncRuns.list(id, { limit, cursor }), 200);
    })
    .openapi(show, async (c) => {
      const { id, runId } = c.req.valid('param');

      const run = await syncRuns.find(runId);
      if (run?.integrationId !== id)
        throw new DomainError('not_found', `This integration has no sync run ${runId}.`);

      return c.json(run, 200);
    });
}
