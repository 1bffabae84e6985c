import { z } from '@hono/zod-openapi';
import type { ApiDeps } from '../deps.ts';
import { answers, apiRoute } from '../route.ts';
import { cursor, limit, pageOf } from '../schemas/common.ts';
import { eventSchema } from '../schemas/event.ts';
import { newRouter } from './router.ts';

const query = z
  .strictObject({
    limit,
    cursor,
    after: cursor.openapi({
      description: 'The `id` of an event or a `nextCursor`: what came after it',
    }),
  })
  .refine(({ cursor, after }) => cursor === undefined || after === undefined, {
    path: ['after'],
    message: 'Give either after or cursor: they mean the same',
  });

/** The audit trail, oldest first, so that a reader can follow it. */
export function eventRoutes({ audit }: ApiDeps) {
  const list = apiRoute({ role: 'viewer' }, {
    method: 'get',
    path: '/events',
    operationId: 'listEvents',
    summary: 'Follow the audit trail: who did what to what',
    tags: ['Audit'],
    request: { query },
    responses: { 200: answers('A page of events, oldest first', pageOf(eventSchema)) },
  } as const);

  return newRouter().openapi(list, async (c) => {
    const { limit, cursor, after } = c.req.valid('query');

    return c.json(await audit.list({ limit, cursor: after ?? cursor ?? null }), 200);
  });
}
