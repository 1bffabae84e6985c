import { z } from '@hono/zod-openapi';
import { roles } from '../../domain/api-key.ts';
import { line, nullableTime, time } from './common.ts';

export const apiKeySchema = z
  .object({
    id: z.guid(),
    name: z.string(),
    role: z.enum(roles),
    expiresAt: nullableTime,
    createdAt: time,
    lastUsedAt: nullableTime.openapi({ description: 'To the minute' }),
  })
  .openapi('ApiKey');

export const newApiKeySchema = z
  .strictObject({
    name: line(100).min(1, 'Must not be empty').openapi({ example: 'dashboard' }),
    role: z.enum(roles),
    expiresAt: z.iso
      .datetime({ offset: true })
      .nullable()
      .optional()
      .openapi({ description: 'ISO 8601, in the future; null or absent: never' }),
  })
  .openapi('NewApiKey');

export const createdApiKeySchema = apiKeySchema
  .extend({
    secret: z.string().openapi({ description: 'Shown this once; only its hash is kept' }),
  })
  .openapi('CreatedApiKey');
