import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WalkInput, WalkResult } from '../activities/walk-input.ts';
import { aRun } from '../test/api/fake-stores.ts';
import { bundleWorkflows, startDevServer } from '../test/temporal.ts';
import { syncWorkflowId, taskQueue } from '../workflows/contract.ts';
import { createSyncControl } from './temporal.ts';

const running = new AbortController().signal;

describe('the sync loops in a real Temporal', () => {
  let environment: TestWorkflowEnvironment;
  let workflowBundle: WorkflowBundle;

  beforeAll(async () => {
    [environment, workflowBundle] = await Promise.all([startDevServer(), bundleWorkflows()]);
  });
  afterAll(async () => {
    await environment.teardown();
  });

  const control = () => createSyncControl(environment.client, running);

  async function withWalks<T>(
    walkDevicePages: (input: WalkInput) => Promise<WalkResult>,
    body: () => Promise<T>,
  ): Promise<T> {
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle,
      activities: { walkDevicePages },
    });
    return worker.runUntil(body());
  }

  test('Sync Now starts the loop and answers with the finished run', async () => {
    const [integrationId, runId] = [randomUUID(), randomUUID()];
    const run = aRun({ id: runId, integrationId, state: 'succeeded', added: 12 });

    const finished = await withWalks(
      async () => ({
        outcome: 'finished',
        run,
        position: { phase: 'sync', cursor: 'c', walkId: null },
        tokenExpiresAt: '2099-01-01T00:00:00.000Z',
      }),
      async () => control().syncNow(integrationId, runId, 30),
    );

    expect(finished).toEqual(run);
  });

  test('a block that the walk met is the answer', async () => {
    const integrationId = randomUUID();

    const refusal = withWalks(
      async () => ({
        outcome: 'blocked',
        block: 'terms_not_signed',
        run: null,
        tokenExpiresAt: null,
      }),
      async () => control().syncNow(integrationId, randomUUID(), 30),
    );

    await expect(refusal).rejects.toMatchObject({ code: 'terms_not_signed' });
  });

  test('while no worker polls, nobody hangs, and the loop is there for the one that comes', async () => {
    const integrationId = randomUUID();

    const answer = await control().syncNow(integrationId, randomUUID(), 0);

    expect(answer).toBeUndefined();
    const handle = environment.client.workflow.getHandle(syncWorkflowId(integrationId));
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  test('who waits for a run is let go when the process stops', async () => {
    const stopping = new AbortController();
    const waiting = createSyncControl(environment.client, stopping.signal).syncNow(
      randomUUID(),
      randomUUID(),
      60,
    );

    setTimeout(() => {
      stopping.abort();
    }, 200);

    expect(await waiting).toBeUndefined();
  });

  test('a loop can be started twice and stopped twice', async () => {
    const integrationId = randomUUID();
    const loops = control();

    await loops.ensure(integrationId);
    await loops.ensure(integrationId);
    await loops.wake(integrationId);
    await loops.stop(integrationId);
    await loops.stop(integrationId);
    await loops.stop(randomUUID());

    const handle = environment.client.workflow.getHandle(syncWorkflowId(integrationId));
    expect((await handle.describe()).status.name).toBe('TERMINATED');
  });
});

test('while Temporal is away every call says so', async () => {
  const connection = Connection.lazy({ address: '127.0.0.1:1' });
  const away = createSyncControl(new Client({ connection }), running);
  const unavailable = { code: 'temporal_unavailable' };

  await expect(away.ping()).rejects.toMatchObject(unavailable);
  await expect(away.wake('x')).rejects.toMatchObject(unavailable);
  await expect(away.stop('x')).rejects.toMatchObject(unavailable);
  await expect(away.syncNow('x', 'y', 60)).rejects.toMatchObject(unavailable);
});
