import { z } from '@hono/zod-openapi';
import { integrationStatuses } from '../../domain/integration.ts';
import { runStates, syncModes } from '../../domain/sync.ts';
import { line, nullableTime, time } from './common.ts';
import { syncRunSchema } from './sync-run.ts';

const text = z.string().nullable();
const count = z.int().nonnegative();

export const integrationSchema = z
  .object({
    id: z.guid(),
    name: z.string(),
    status: z.enum(integrationStatuses),
    statusReason: z
      .string()
      .openapi({ description: 'One sentence: what it means, and what to do' }),
    organization: z
      .object({ name: text, id: text, email: text, phone: text, address: text })
      .nullable(),
    serverName: text,
    serverUuid: text,
    adminId: text,
    token: z
      .object({
        expiresAt: time,
        daysLeft: z.int().openapi({ description: 'Whole days; negative after the expiry' }),
        uploadedAt: time,
      })
      .nullable(),
    sync: z.object({
      state: z.enum(['idle', ...runStates]),
      mode: z.enum(syncModes).nullable(),
      cursorAgeSeconds: count.nullable(),
      lastCheckedAt: nullableTime,
      lastFullAt: nullableTime,
      lastRun: syncRunSchema.nullable(),
      nextRunAt: nullableTime,
    }),
    counts: z.object({
      devices: count,
      assigned: count,
      unassigned: count,
      pending: count,
      failed: count,
      enrolled: count,
      removed: count,
    }),
    notifyEmails: z.array(z.string()),
    pageSize: z.int(),
    pausedAt: nullableTime,
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Integration');

const name = line(200).min(1, 'Must not be empty').openapi({ example: 'Head office' });
const notifyEmails = z
  .array(z.email('Must be an e-mail address').max(254))
  .max(50)
  .transform((emails) => [...new Set(emails)])
  .openapi({
    type: 'array',
    items: { type: 'string', format: 'email' },
    description: 'Who is told before the token expires and when Apple refuses it',
  });
const pageSize = z
  .int()
  .min(1)
  .max(1000)
  .openapi({ description: 'Devices a page when Apple is asked' });

export const newIntegrationSchema = z
  .strictObject({
    name,
    notifyEmails: notifyEmails.optional(),
    pageSize: pageSize.optional(),
  })
  .openapi('NewIntegration');

export const integrationPatchSchema = z
  .strictObject({
    name: name.optional(),
    notifyEmails: notifyEmails.optional(),
    pageSize: pageSize.optional(),
  })
  .refine((patch) => Object.values(patch).some((value) => value !== undefined), {
    message: 'Name at least one field to change: name, notifyEmails, pageSize',
  })
  .openapi('IntegrationPatch');
