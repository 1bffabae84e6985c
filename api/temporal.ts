import {
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  type Client,
} from '@temporalio/client';
import { ApplicationFailure, type Workflow } from '@temporalio/common';
import { DomainError } from '../domain/errors.ts';
import type { SyncBlock, SyncRun } from '../domain/sync.ts';
import {
  syncNowUpdate,
  syncStartOptions,
  syncWorkflowId,
  syncWorkflowType,
  wakeSignal,
  type SyncNowInput,
  type SyncNowResult,
  type WakeReason,
} from '../workflows/contract.ts';
import type { SyncControl } from './deps.ts';
import { isRpcTimeout, isTemporalOutage } from './temporal-outage.ts';

/** A call that asks for nothing but a receipt. */
const callSeconds = 3;
const pingSeconds = 2;
/** How long a worker may take to pick an update up before nobody seems to be there. */
const acceptSeconds = 3;

const blocks: readonly string[] = [
  'awaiting_token',
  'token_expired',
  'token_rejected',
  'terms_not_signed',
  'paused',
] satisfies SyncBlock[];

/**
 * The sync loops, reached through Temporal. Every call has a deadline: without one the client repeats
 * an update for as long as no worker polls. `stopping` ends whoever waits for a run.
 */
export function createSyncControl(
  { workflow, connection }: Client,
  stopping: AbortSignal,
): SyncControl {
  const inTime = <T>(seconds: number, call: () => Promise<T>) =>
    connection.withDeadline(Date.now() + seconds * 1000, call).catch((error: unknown) => {
      throw asOutage(error);
    });

  const start = (integrationId: string) =>
    new WithStartWorkflowOperation(syncWorkflowType, syncStartOptions(integrationId));

  async function wake(integrationId: string, reason: WakeReason = 'facts'): Promise<void> {
    const signalArgs: [WakeReason] = [reason];
    const options = syncStartOptions(integrationId);
    await inTime(callSeconds, () =>
      workflow.signalWithStart(syncWorkflowType, {
        ...options,
        signal: wakeSignal,
        signalArgs,
      }),
    );
  }

  async function update(integrationId: string, runId: string, waitSeconds: number) {
    const args: [SyncNowInput] = [{ runId }];
    // The run's id names the update, so that callers who joined a run share one update as well.
    const options = { args, updateId: runId, startWorkflowOperation: start(integrationId) };
    if (waitSeconds > 0)
      return workflow.executeUpdateWithStart<Workflow, SyncNowResult, [SyncNowInput]>(
        syncNowUpdate,
        options,
      );
    await workflow.startUpdateWithStart<Workflow, SyncNowResult, [SyncNowInput]>(syncNowUpdate, {
      ...options,
      waitForStage: 'ACCEPTED',
    });
    return undefined;
  }

  async function ping(): Promise<void> {
    await inTime(pingSeconds, () => connection.workflowService.getSystemInfo({}));
  }

  return {
    wake,
    ping,

    async ensure(integrationId) {
      const options = syncStartOptions(integrationId);
      await inTime(callSeconds, () => workflow.start(syncWorkflowType, options));
    },

    async syncNow(integrationId, runId, waitSeconds): Promise<SyncRun | undefined> {
      const patience = Math.max(waitSeconds, acceptSeconds);
      // An update to an engine that is away would be repeated until the deadline.
      await ping();
      const deadline = Date.now() + patience * 1000;
      try {
        return await connection.withAbortSignal(stopping, () =>
          connection.withDeadline(deadline, () => update(integrationId, runId, waitSeconds)),
        );
      } catch (error) {
        if (error instanceof WorkflowUpdateFailedError) {
          refuseBlocked(error);
          return undefined;
        }
        if (!isRpcTimeout(error)) throw asOutage(error);
        // Nobody took it up in time. A signal is kept for the worker that comes; an update is not.
        if (waitSeconds < acceptSeconds) await wake(integrationId);
        return undefined;
      }
    },

    async stop(integrationId) {
      const handle = workflow.getHandle(syncWorkflowId(integrationId));
      await inTime(callSeconds, () => handle.terminate('the integration is deleted')).catch(
        (error: unknown) => {
          if (!(error instanceof WorkflowNotFoundError)) throw error;
        },
      );
    },
  };
}

/** A block is the caller's answer; a run that failed stands in Postgres with its error. */
function refuseBlocked({ cause }: WorkflowUpdateFailedError): void {
  const code = cause instanceof ApplicationFailure ? cause.type : null;
  if (code === 'not_found') throw new DomainError('not_found', 'The integration was deleted.');
  if (typeof code === 'string' && blocks.includes(code))
    throw new DomainError(code as SyncBlock, cause?.message ?? 'The sync cannot run.');
}

function asOutage(error: unknown): unknown {
  if (!isTemporalOutage(error)) return error;
  return new DomainError(
    'temporal_unavailable',
    'The workflow engine does not answer at the moment; try again in a few seconds.',
    { cause: error },
  );
}
