import { z } from '@hono/zod-openapi';
import { time } from './common.ts';

const snapshot = z
  .record(z.string(), z.unknown())
  .nullable()
  .openapi({ description: 'Without secrets' });

export const eventSchema = z
  .object({
    id: z.string(),
    at: time,
    actor: z.object({
      kind: z.enum(['api_key', 'system']),
      id: z.string().nullable(),
      name: z.string(),
      requestId: z.string().nullable(),
    }),
    action: z.string().openapi({ example: 'token.activated' }),
    object: z.object({ type: z.string(), id: z.string() }),
    before: snapshot,
    after: snapshot,
  })
  .openapi('Event');
