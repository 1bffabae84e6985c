import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEnsureLoops } from '../activities/ensure-loops.ts';
import { finished } from '../test/fake-walk.ts';
import { ensureWatchdog } from '../temporal-setup.ts';
import { bundleWorkflows, startDevServer } from '../test/temporal.ts';
import {
  syncStartOptions,
  syncWorkflowId,
  syncWorkflowType,
  taskQueue,
  watchdogScheduleId,
} from './contract.ts';

let environment: TestWorkflowEnvironment;

beforeAll(async () => {
  environment = await startDevServer();
});
afterAll(async () => {
  await environment.teardown();
});

test('the watchdog starts the loops that are missing, again after one was terminated, and leaves the others alone', async () => {
  const { client } = environment;
  const ids = [randomUUID(), randomUUID()];
  const [kept = '', lost = ''] = ids;
  const ensureLoops = createEnsureLoops({
    integrations: { listIds: async () => ids },
    startLoop: async (id) => {
      await client.workflow.start(syncWorkflowType, syncStartOptions(id));
    },
  });
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowBundle: await bundleWorkflows(),
    activities: { ensureLoops, walkDevicePages: async (input: never) => finished(input) },
  });
  const loop = (id: string) => client.workflow.getHandle(syncWorkflowId(id));
  const isRunning = async (id: string) => {
    const found = await loop(id)
      .describe()
      .catch(() => null);
    return found?.status.name === 'RUNNING';
  };

  await worker.runUntil(async () => {
    await ensureWatchdog(client);
    await until(async () => (await isRunning(kept)) && (await isRunning(lost)));
    const { runId } = await loop(kept).describe();

    await loop(lost).terminate();
    // A worker that starts has the watchdog look at once, and there is still one schedule.
    await ensureWatchdog(client);
    await until(() => isRunning(lost));
    expect((await loop(kept).describe()).runId).toBe(runId);

    const { spec } = await client.schedule.getHandle(watchdogScheduleId).describe();
    expect(spec.intervals?.map(({ every }) => every)).toEqual([5 * 60_000]);
    await Promise.all(ids.map((id) => loop(id).terminate()));
  });
});

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not settle');
}
