import { z } from '@hono/zod-openapi';
import { errorCodes } from '../../domain/errors.ts';

/** RFC 9457, with a stable code. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().openapi({ description: 'What is wrong, and what to do' }),
    code: z.enum(errorCodes).openapi({ description: 'Stable; new ones may be added' }),
    requestId: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem');
