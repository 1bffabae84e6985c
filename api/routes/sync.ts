import { z } from '@hono/zod-openapi';
import { blockError } from '../../domain/block-error.ts';
import { DomainError } from '../../domain/errors.ts';
import { syncBlock, type Integration } from '../../domain/integration.ts';
import { syncModes, type SyncBlock } from '../../domain/sync.ts';
import { actorOf } from '../actor.ts';
import type { ApiDeps } from '../deps.ts';
import { ignoringOutage } from '../ignoring-outage.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, apiRoute, location } from '../route.ts';
import { idParams, wait } from '../schemas/common.ts';
import { integrationSchema } from '../schemas/integration.ts';
import { operationAnswer } from '../schemas/sync-run.ts';
import { viewIntegration } from '../views/integration.ts';
import { hasEnded, operationOf } from '../views/operation.ts';
import { statusReason } from '../views/status-reason.ts';
import { newRouter } from './router.ts';

const tags = ['Sync'];
const blocks = [
  'awaiting_token',
  'token_expired',
  'terms_not_signed',
  'token_rejected',
  'paused',
] as const satisfies readonly SyncBlock[];

/** Sync Now, and holding the periodic sync. */
export function syncRoutes(deps: ApiDeps) {
  const { integrations, syncRuns, sync, now } = deps;
  const middleware = [idempotent(deps)];

  const start = apiRoute({ role: 'operator', errors: ['not_found', ...blocks], middleware }, {
    method: 'post',
    path: '/integrations/{id}/sync',
    operationId: 'syncNow',
    summary: 'Sync now',
    description: 'One that is running already is joined, not doubled.',
    tags,
    request: {
      params: idParams,
      query: z.strictObject({ wait }),
      body: {
        required: false,
        content: {
          'application/json': {
            schema: z.strictObject({ mode: z.enum(syncModes).optional() }).openapi('SyncRequest'),
          },
        },
      },
    },
    responses: {
      200: { ...answers('It has ended', operationAnswer), ...location('the operation') },
      202: {
        ...answers('It is queued or running', operationAnswer),
        ...location('the operation'),
      },
    },
  } as const);
  const hold = (verb: 'pause' | 'resume', summary: string) =>
    apiRoute({ role: 'operator', errors: ['not_found'], middleware }, {
      method: 'post',
      path: `/integrations/{id}/${verb}`,
      operationId: verb,
      summary,
      tags,
      request: { params: idParams },
      responses: { 200: answers('The integration', integrationSchema) },
    } as const);

  return newRouter()
    .openapi(start, async (c) => {
      const { id } = c.req.valid('param');
      const { mode = 'delta' } = c.req.valid('json');
      const { wait = 0 } = c.req.valid('query');

      const integration = await integrations.get(id);
      const block = syncBlock(integration, now());
      if (block !== null) {
        // Somebody may just have signed: only Apple knows, so the loop asks.
        if (block === 'terms_not_signed' || block === 'token_rejected')
          await ignoringOutage(c.get('logger'), () => sync.wake(id));
        throw new DomainError(block, reasonFor(block, integration, now()));
      }

      const { run } = await syncRuns.request({
        integrationId: id,
        mode,
        now: now(),
        actor: actorOf(c),
      });
      const finished = await ignoringOutage(c.get('logger'), () => sync.syncNow(id, run.id, wait));
      const latest = finished ?? (await syncRuns.find(run.id)) ?? run;

      c.header('location', `/api/v1/operations/${run.id}`);
      return c.json({ operation: operationOf(latest) }, hasEnded(latest) ? 200 : 202);
    })
    .openapi(hold('pause', 'Hold the periodic sync'), async (c) => {
      const { id } = c.req.valid('param');

      const held = await integrations.markPaused(id, true, actorOf(c));
      await ignoringOutage(c.get('logger'), () => sync.wake(id));

      return c.json(await viewIntegration(deps, held), 200);
    })
    .openapi(hold('resume', 'Resume the periodic sync'), async (c) => {
      const { id } = c.req.valid('param');

      const resumed = await integrations.markPaused(id, false, actorOf(c));
      await ignoringOutage(c.get('logger'), () => sync.wake(id));

      return c.json(await viewIntegration(deps, resumed), 200);
    });
}

/** A pause may hide behind another status, so the sentence follows the block where they differ. */
function reasonFor(block: SyncBlock, integration: Integration, now: Date): string {
  return block === 'paused' ? blockError(block).message : statusReason(integration, now);
}
