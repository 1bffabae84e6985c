import { z } from '@hono/zod-openapi';
import { actorOf } from '../actor.ts';
import { DomainError } from '../../domain/errors.ts';
import type { SyncRun } from '../../domain/sync.ts';
import type { ApiDeps } from '../deps.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, apiRoute } from '../route.ts';
import { idParams, wait } from '../schemas/common.ts';
import { followedOperation } from '../schemas/sync-run.ts';
import { hasEnded, operationOf } from '../views/operation.ts';
import { waitForRun } from '../wait-for-run.ts';
import { newRouter } from './router.ts';

const tags = ['Operations'];

/** Long work, whatever started it. */
export function operationRoutes(deps: ApiDeps) {
  const { syncRuns, now, stopping } = deps;

  const show = apiRoute({ role: 'viewer', errors: ['not_found'] }, {
    method: 'get',
    path: '/operations/{id}',
    operationId: 'getOperation',
    summary: 'Follow long work',
    tags,
    request: { params: idParams, query: z.strictObject({ wait }) },
    responses: { 200: answers('How it stands', followedOperation) },
  } as const);
  const cancel = apiRoute(
    { role: 'operator', errors: ['not_found', 'conflict'], middleware: [idempotent(deps)] },
    {
      method: 'post',
      path: '/operations/{id}/cancel',
      operationId: 'cancelOperation',
      summary: 'Cancel work that has not begun',
      tags,
      request: { params: idParams },
      responses: { 200: answers('Cancelled', followedOperation) },
    } as const,
  );

  return newRouter()
    .openapi(show, async (c) => {
      const { id } = c.req.valid('param');
      const { wait = 0 } = c.req.valid('query');

      const interest = AbortSignal.any([c.req.raw.signal, stopping]);
      const run = await waitForRun(() => syncRuns.find(id), wait, interest);
      if (run === undefined) throw notFound(id);

      return c.json(followed(run), 200);
    })
    .openapi(cancel, async (c) => {
      const { id } = c.req.valid('param');

      await syncRuns.cancelQueued(id, now(), actorOf(c));
      const run = await syncRuns.find(id);
      if (run === undefined) throw notFound(id);
      if (run.state !== 'cancelled') throw tooLate(run);

      return c.json(followed(run), 200);
    });
}

function followed(run: SyncRun) {
  const operation = operationOf(run);
  return { ...operation, operation };
}

const notFound = (id: string) => new DomainError('not_found', `There is no operation ${id}.`);

function tooLate(run: SyncRun): DomainError {
  return new DomainError(
    'conflict',
    hasEnded(run)
      ? `This sync has ended already (${run.state}); there is nothing to cancel.`
      : 'This sync has begun, and each page that it writes stands for itself; pause the integration to hold it.',
  );
}
