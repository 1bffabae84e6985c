import { z } from '@hono/zod-openapi';
import { runStates, syncModes, syncTriggers } from '../../domain/sync.ts';
import { nullableTime, time } from './common.ts';

const count = z.int().nonnegative();

const runError = z
  .object({ code: z.string(), message: z.string() })
  .nullable()
  .openapi({ description: 'A code of ours or, for a refusal, the word that Apple used' });

const difference = z.object({ count, sample: z.array(z.string()) });

export const syncRunSchema = z
  .object({
    id: z.guid(),
    integrationId: z.guid(),
    trigger: z.enum(syncTriggers),
    mode: z.enum(syncModes),
    state: z.enum(runStates),
    queuedAt: time,
    startedAt: nullableTime,
    finishedAt: nullableTime,
    pages: count,
    added: count,
    modified: count,
    removed: count,
    unchanged: count,
    error: runError,
    waitingFor: z.string().nullable(),
    nextAttemptAt: nullableTime,
    report: z
      .object({ added: difference, changed: difference, removed: difference })
      .nullable()
      .openapi({ description: 'What a weekly full fetch found that the deltas had not told' }),
  })
  .openapi('SyncRun');

export const operationSchema = z
  .object({
    id: z.guid(),
    kind: z.enum(['sync']),
    integrationId: z.guid(),
    state: z.enum(runStates),
    done: count.openapi({ description: 'Devices that were looked at' }),
    total: count
      .nullable()
      .openapi({ description: 'Null: Apple does not say how many are to come' }),
    waitingFor: z.string().nullable(),
    nextAttemptAt: nullableTime,
    error: runError,
    startedAt: nullableTime,
    finishedAt: nullableTime,
    run: syncRunSchema,
  })
  .openapi('Operation');

/** The operation itself, and once more in the envelope of the call that started it. */
export const followedOperation = operationSchema
  .extend({ operation: operationSchema })
  .openapi('FollowedOperation');

export const operationAnswer = z.object({ operation: operationSchema });
