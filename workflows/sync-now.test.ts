import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { WalkInput, WalkResult } from '../activities/walk-input.ts';
import { blocked, finished, waiting } from '../test/fake-walk.ts';
import {
  bundleWorkflows,
  failedWorkflowTasks,
  startDevServer,
  withWorker,
} from '../test/temporal.ts';
import { searchAttributes, syncStartOptions, syncWorkflowType } from './contract.ts';
import { status, syncNow, wake, type syncDevices } from './sync-devices.ts';

type Loop = WorkflowHandle<typeof syncDevices>;

let environment: TestWorkflowEnvironment;
let bundle: WorkflowBundle;

beforeAll(async () => {
  [environment, bundle] = await Promise.all([startDevServer(), bundleWorkflows()]);
});
afterAll(async () => {
  await environment.teardown();
});
afterEach(() => {
  expect(failedWorkflowTasks()).toEqual([]);
});

test('25 callers at once with one update id share a run', async () => {
  let walks = 0;
  const walk = async (input: WalkInput) => {
    walks += 1;
    return finished(input);
  };

  await withLoop({ walk }, async (loop) => {
    const runs = await Promise.all(
      Array.from({ length: 25 }, () =>
        loop.executeUpdate(syncNow, { args: [{ runId: null }], updateId: 'sync-now' }),
      ),
    );
    expect(new Set(runs.map((run) => run.id)).size).toBe(1);
    expect(walks).toBeLessThanOrEqual(2);
  });
});

test('no Sync Now is lost while the loop continues as new after every run', async () => {
  const ended = new Set<string>();
  const walk = async (input: WalkInput) => {
    const result = finished(input);
    ended.add(input.runId);
    return result;
  };

  await withLoop({ walk, maxCycles: 1 }, async (loop) => {
    const chain = async () => {
      const runs: string[] = [];
      for (let call = 0; call < 10; call += 1)
        runs.push((await loop.executeUpdate(syncNow, { args: [{ runId: null }] })).id);
      return runs;
    };
    const answers = (await Promise.all([chain(), chain(), chain(), chain()])).flat();
    expect(answers.length).toBe(40);
    expect(answers.every((id) => ended.has(id))).toBe(true);
    expect((await loop.describe()).runId).not.toBe(loop.firstExecutionRunId);
  });
});

test('a time that Apple itself named is not shortened by Sync Now', async () => {
  const walks: number[] = [];
  let until = 0;
  const walk = async (input: WalkInput): Promise<WalkResult> => {
    walks.push(Date.now());
    until ||= Date.now() + 3_000;
    return walks.length === 1
      ? waiting(input, new Date(until).toISOString(), true)
      : finished(input);
  };

  await withLoop({ walk }, async (loop) => {
    const run = await loop.executeUpdate(syncNow, { args: [{ runId: null }] });
    expect(run.state).toBe('succeeded');
    expect(walks.length).toBe(2);
    expect(walks[1]).toBeGreaterThanOrEqual(until - 50);
  });
});

test('a wake that comes with the start, before a walk could begin, is followed by a walk', async () => {
  let walks = 0;
  const walk = async (input: WalkInput): Promise<WalkResult> => {
    walks += 1;
    return walks === 1 ? blocked('awaiting_token') : finished(input);
  };

  await withLoop({ walk }, async (loop) => {
    for (const reason of ['facts', 'token'] as const) await loop.signal(wake, reason);
    await settled(async () => (await loop.query(status)).phase === 'idle');
  });
});

test('a run named by its id is waited for past another one, and an ended one answers at once', async () => {
  const named = randomUUID();
  const walks: string[] = [];
  // As Postgres does: the open run first, then the queued one.
  const walk = async (input: WalkInput): Promise<WalkResult> => {
    walks.push(input.runId);
    return finished(walks.length === 2 ? { ...input, runId: named } : input);
  };

  await withLoop({ walk }, async (loop) => {
    const run = await loop.executeUpdate(syncNow, { args: [{ runId: named }] });
    expect(run.id).toBe(named);
    const again = await loop.executeUpdate(syncNow, { args: [{ runId: named }] });
    expect(again.id).toBe(named);
    expect(walks.length).toBe(2);
  });
});

test('an idle cycle is one activity and at most 15 events, and writes no search attribute', async () => {
  let walks = 0;
  const walk = async (input: WalkInput) => {
    walks += 1;
    return finished(input);
  };
  const dueNow = { nextDueAt: Date.now(), nextLookAt: Date.now() + 1_000 };

  await withLoop({ walk, carry: dueNow }, async (loop) => {
    await settled(async () => walks === 1 && (await loop.query(status)).phase === 'idle');
    const { events } = await loop.fetchHistory();
    const timerEvents = 2;
    const startEvents = 1;
    // The next timer is there already; the timer of this cycle is part of it.
    expect(events!.length - startEvents - 1).toBeLessThanOrEqual(15);
    expect(events!.filter((event) => event.activityTaskScheduledEventAttributes).length).toBe(1);
    expect(events!.filter((event) => event.timerFiredEventAttributes).length).toBe(timerEvents / 2);
  });
});

test('the loop is found by its integration and stage, and says what it does', async () => {
  const walk = async (input: WalkInput) => finished(input);

  await withLoop({ walk }, async (loop, integrationId) => {
    await settled(async () => (await loop.query(status)).phase === 'idle');
    const { typedSearchAttributes: found, memo } = await loop.describe();
    const read = (name: string) => found.get({ name, type: 'KEYWORD' });
    expect(read(searchAttributes.integration)).toBe(integrationId);
    expect(read(searchAttributes.stage)).toBe('idle');
    expect(read(searchAttributes.status)).toBe('ok');
    expect(memo).toMatchObject({ integrationId });
    const { currentDetails } = await loop.query<{ currentDetails?: string }>(
      '__temporal_workflow_metadata',
    );
    expect(currentDetails).toContain('**idle**');
  });
});

async function withLoop(
  { walk, maxCycles, carry }: LoopOptions,
  body: (loop: Loop & { firstExecutionRunId: string }, integrationId: string) => Promise<void>,
): Promise<void> {
  await withWorker(environment, bundle, { walkDevicePages: walk }, async (taskQueue) => {
    const integrationId = randomUUID();
    const options = { ...syncStartOptions(integrationId), taskQueue };
    const [input] = options.args;
    if (maxCycles !== undefined) input.maxCycles = maxCycles;
    if (carry !== undefined)
      input.carry = {
        position: null,
        tokenExpiresAt: null,
        failures: 0,
        open: null,
        block: null,
        waitingFor: null,
        notBefore: 0,
        lastRun: null,
        ...carry,
      };
    const { firstExecutionRunId } = await environment.client.workflow.start<typeof syncDevices>(
      syncWorkflowType,
      options,
    );
    // By id alone, so that it follows the loop from one run to the next.
    const handle = environment.client.workflow.getHandle<typeof syncDevices>(options.workflowId);
    try {
      await body(Object.assign(handle, { firstExecutionRunId }), integrationId);
    } finally {
      await handle.terminate().catch(() => undefined);
    }
  });
}

interface LoopOptions {
  walk: (input: WalkInput) => Promise<WalkResult>;
  maxCycles?: number;
  carry?: { nextDueAt: number; nextLookAt: number };
}

async function settled(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not settle');
}
