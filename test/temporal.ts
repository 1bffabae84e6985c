import { randomUUID } from 'node:crypto';
import {
  DefaultLogger,
  Runtime,
  Worker,
  bundleWorkflowCode,
  type WorkflowBundle,
} from '@temporalio/worker';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { fileURLToPath } from 'node:url';
import type { Activities } from '../activities/index.ts';
import { findTemporalCli, findTestServer } from '../dev/temporal.ts';
import { searchAttributes } from '../workflows/contract.ts';

/** For global setup: has Temporal's programs in place, with progress lines, before a suite needs one. */
export async function prepareTemporal(): Promise<void> {
  const onProgress = (text: string) => {
    console.log(text);
  };
  await findTemporalCli({ onProgress });
  await findTestServer({ onProgress });
}

/** Bundles every workflow as the worker does; about a second. Once a suite. */
export function bundleWorkflows(): Promise<WorkflowBundle> {
  const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
  return bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('ERROR') });
}

/** What the SDK warned of since the suite began: a failing workflow task is a failing test. */
const warnings: string[] = [];

export const failedWorkflowTasks = () =>
  warnings.filter((line) => /failing workflow task|nondetermin/i.test(line));

let collecting = false;

function collectWarnings(): void {
  if (collecting) return;
  collecting = true;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ message, meta }) => {
      const { error } = (meta ?? {}) as { error?: Error };
      warnings.push(`${message} ${error?.message ?? ''}`);
    }),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  });
}

// temporal.api.enums.v1.IndexedValueType
const keyword = 2;

/** A server that skips time. Time is one for the whole environment, so every test takes its own. */
export async function startSkippingTime(): Promise<TestWorkflowEnvironment> {
  collectWarnings();
  const executable = { type: 'existing-path' as const, path: await findTestServer() };
  const environment = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  await environment.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      Object.values(searchAttributes).map((name) => [name, keyword]),
    ),
  });
  return environment;
}

/** A dev server of the suite's own, in real time. */
export async function startDevServer(): Promise<TestWorkflowEnvironment> {
  collectWarnings();
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: await findTemporalCli() },
      ip: '127.0.0.1',
      searchAttributes: Object.values(searchAttributes).map((name) =>
        defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
      ),
    },
  });
}

/** Runs a worker with these activities, on a task queue of its own, while `body` runs. */
export async function withWorker<T>(
  environment: TestWorkflowEnvironment,
  workflowBundle: WorkflowBundle,
  activities: Partial<Activities>,
  body: (taskQueue: string) => Promise<T>,
): Promise<T> {
  const taskQueue = `test-${randomUUID()}`;
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowBundle,
    activities,
    maxHeartbeatThrottleInterval: '100ms',
  });
  return worker.runUntil(body(taskQueue));
}
