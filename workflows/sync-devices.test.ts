import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { WalkInput, WalkResult } from '../activities/walk-input.ts';
import { blocked, finished, untilCancelled, waiting } from '../test/fake-walk.ts';
import {
  bundleWorkflows,
  failedWorkflowTasks,
  startSkippingTime,
  withWorker,
} from '../test/temporal.ts';
import { searchAttributes, syncStartOptions, syncWorkflowType } from './contract.ts';
import { status, syncNow, wake, type syncDevices } from './sync-devices.ts';

type Loop = WorkflowHandle<typeof syncDevices>;
type Walk = (input: WalkInput) => Promise<WalkResult>;

let environment: TestWorkflowEnvironment;
let bundle: WorkflowBundle;

beforeAll(async () => {
  bundle = await bundleWorkflows();
});
beforeEach(async () => {
  environment = await startSkippingTime();
});
afterEach(async () => {
  await environment.teardown();
  expect(failedWorkflowTasks()).toEqual([]);
});

const minutes = (count: number) => count * 60_000;
const now = () => environment.currentTimeMs();
const iso = (ms: number) => new Date(ms).toISOString();

test('a day has 288 runs on a five-minute grid, one cursor handed on from each to the next', async () => {
  const walks: { at: number; input: WalkInput }[] = [];
  const walk: Walk = async (input) => {
    walks.push({ at: await now(), input });
    const result = finished(input);
    const position = { phase: 'sync' as const, cursor: `cursor-${walks.length}`, walkId: null };
    return { ...result, position } as WalkResult;
  };

  await withLoop(walk, async () => {
    await environment.sleep('24 hours');

    expect(walks.length).toBeGreaterThanOrEqual(288);
    expect(walks.length).toBeLessThanOrEqual(290);
    const first = walks[0]!;
    expect(first.input).toMatchObject({ trigger: 'initial', position: null });
    walks.slice(1).forEach(({ at, input }, index) => {
      expect(input).toMatchObject({
        trigger: 'schedule',
        position: { cursor: `cursor-${index + 1}` },
      });
      // The grid does not drift, however long a walk takes.
      expect(Math.abs(at - first.at - minutes(5) * (index + 1))).toBeLessThan(15_000);
    });
    expect(new Set(walks.map(({ input }) => input.runId)).size).toBe(walks.length);
  });
});

test('the moment a token expires wakes the loop, and a renewal sets it going at once', async () => {
  const expiry = (await now()) + minutes(7);
  let token = iso(expiry);
  const walks: { at: number; trigger: string }[] = [];
  const walk: Walk = async (input) => {
    const at = await now();
    walks.push({ at, trigger: input.trigger });
    return at >= Date.parse(token) ? blocked('token_expired', token) : finished(input, token);
  };

  await withLoop(walk, async (loop) => {
    await environment.sleep('8 minutes');
    expect(walks.length).toBe(3);
    expect(walks[2]!.at - expiry).toBeGreaterThanOrEqual(0);
    expect(walks[2]!.at - expiry).toBeLessThan(15_000);
    expect(await loop.query(status)).toMatchObject({ phase: 'blocked' });
    await expect(loop.executeUpdate(syncNow, { args: [{ runId: null }] })).rejects.toMatchObject({
      cause: { type: 'token_expired' },
    });
    expect(walks.length).toBe(4);

    token = iso((await now()) + minutes(10_000));
    await loop.signal(wake, 'token');
    await settled(() => walks.length === 5);
    expect(walks[4]!.trigger).toBe('token');
    expect(await loop.query(status)).toMatchObject({ phase: 'idle' });
  });
});

test('unsigned terms are probed every five minutes and the first good answer ends it', async () => {
  let signed = false;
  const inputs: WalkInput[] = [];
  const walk: Walk = async (input) => {
    inputs.push(input);
    return signed ? finished(input) : blocked('terms_not_signed');
  };

  await withLoop(walk, async (loop) => {
    await environment.sleep('21 minutes');
    expect(inputs.length).toBe(5);
    expect(inputs.map((input) => input.block)).toEqual([
      null,
      ...Array<string>(4).fill('terms_not_signed'),
    ]);

    signed = true;
    await environment.sleep('5 minutes');
    expect(await loop.query(status)).toMatchObject({ phase: 'idle', waitingFor: null });
  });
});

test('Sync Now joins the run that is going on, and everybody gets that run', async () => {
  let release: () => void = () => undefined;
  const started: string[] = [];
  const walk: Walk = async (input) => {
    started.push(input.runId);
    await new Promise<void>((resolve) => (release = resolve));
    return finished(input);
  };

  await withLoop(walk, async (loop) => {
    await settled(() => started.length === 1);
    const runId = started[0]!;
    const asked = [0, 1, 2].map(() => loop.executeUpdate(syncNow, { args: [{ runId }] }));
    await settled(async () => (await updatesIn(loop)) === 3);
    release();

    const runs = await Promise.all(asked);
    expect(runs.map((run) => run.id)).toEqual([runId, runId, runId]);
    expect(runs[0]).toMatchObject({ state: 'succeeded' });
    expect(started.length).toBe(1);
  });
});

test('a run that Apple refuses ends its callers with the code of its error', async () => {
  const walk: Walk = async (input) => {
    const { run, position } = finished(input) as Extract<WalkResult, { outcome: 'finished' }>;
    const error = { code: 'apple_cursor_stuck', message: 'Apple repeats a cursor.' };
    return { outcome: 'failed', run: { ...run, state: 'failed', error }, position };
  };

  await withLoop(walk, async (loop) => {
    await expect(loop.executeUpdate(syncNow, { args: [{ runId: null }] })).rejects.toMatchObject({
      cause: { type: 'apple_cursor_stuck' },
    });
    const { phase, nextActionAt } = await loop.query(status);
    expect(phase).toBe('idle');
    expect(nextActionAt).not.toBeNull();
  });
});

test('while Apple is away the run waits, says for what and until when, and Sync Now tries at once', async () => {
  let away = true;
  const inputs: WalkInput[] = [];
  const walk: Walk = async (input) => {
    inputs.push(input);
    return away ? waiting(input, iso((await now()) + minutes(3))) : finished(input);
  };

  await withLoop(walk, async (loop) => {
    await environment.sleep('7 minutes');
    expect(inputs.map((input) => input.failures)).toEqual([0, 1, 2]);
    expect(new Set(inputs.map((input) => input.runId)).size).toBe(1);
    expect(await loop.query(status)).toMatchObject({
      phase: 'waiting',
      waitingFor: { code: 'apple_unreachable' },
    });

    away = false;
    const run = await loop.executeUpdate(syncNow, { args: [{ runId: inputs[0]!.runId }] });
    expect(run).toMatchObject({ id: inputs[0]!.runId, state: 'succeeded' });
  });
});

test('a pause stops a walk between two pages, a resume goes on with the same run', async () => {
  let paused = false;
  const inputs: WalkInput[] = [];
  const walk: Walk = async (input) => {
    inputs.push(input);
    if (paused) return blocked('paused');
    return inputs.length === 1 ? untilCancelled(input) : finished(input);
  };

  await withLoop(walk, async (loop) => {
    await settled(() => inputs.length === 1);
    paused = true;
    await loop.signal(wake);
    await settled(async () => (await loop.query(status)).phase === 'paused');
    await expect(loop.executeUpdate(syncNow, { args: [{ runId: null }] })).rejects.toMatchObject({
      cause: { type: 'paused' },
    });

    paused = false;
    await loop.signal(wake);
    await settled(async () => (await loop.query(status)).phase === 'idle');
    expect(inputs.length).toBe(4);
  });
});

test.each(['paused', 'token_expired', 'token_rejected', 'awaiting_token'] as const)(
  'a loop that is blocked by %s and never woken goes on within five minutes of the facts',
  async (block) => {
    let mayWalk = false;
    const walk: Walk = async (input) => (mayWalk ? finished(input) : blocked(block));

    await withLoop(walk, async (loop) => {
      await environment.sleep('17 minutes');
      expect(await loop.query(status)).toMatchObject({
        phase: block === 'paused' ? 'paused' : 'blocked',
      });
      mayWalk = true;
      await environment.sleep('5 minutes');
      expect(await loop.query(status)).toMatchObject({ phase: 'idle' });
    });
  },
);

test.each(['paused', 'token_expired', 'terms_not_signed'] as const)(
  'Sync Now walks although the loop still remembers that it was blocked by %s',
  async (block) => {
    let mayWalk = false;
    const walk: Walk = async (input) => (mayWalk ? finished(input) : blocked(block));

    await withLoop(walk, async (loop) => {
      await settled(async () => (await loop.query(status)).phase !== 'starting');
      mayWalk = true;
      const run = await loop.executeUpdate(syncNow, { args: [{ runId: null }] });
      expect(run.state).toBe('succeeded');
    });
  },
);

test('who asks during a walk that ends blocked is answered by a walk that knows newer facts', async () => {
  let release: () => void = () => undefined;
  let walks = 0;
  const walk: Walk = async (input) => {
    walks += 1;
    if (walks > 1) return finished(input);
    await new Promise<void>((resolve) => (release = resolve));
    return blocked('token_expired');
  };

  await withLoop(walk, async (loop) => {
    await settled(() => walks === 1);
    const asked = loop.executeUpdate(syncNow, { args: [{ runId: null }] });
    await settled(async () => (await updatesIn(loop)) === 1);
    release();
    expect((await asked).state).toBe('succeeded');
  });
});

test('a fault of our own that lasts is shown, refuses who waits, and is tried again when the next run is due', async () => {
  let broken = true;
  const walks: number[] = [];
  const walk: Walk = async (input) => {
    walks.push(await now());
    if (!broken) return finished(input);
    throw ApplicationFailure.nonRetryable('Internal error (TypeError).', 'internal_error');
  };

  await withLoop(walk, async (loop) => {
    await environment.sleep('6 minutes');
    expect(walks.length).toBe(2);
    expect(await loop.query(status)).toMatchObject({
      phase: 'waiting',
      waitingFor: { code: 'internal_error' },
    });
    const { typedSearchAttributes: found } = await loop.describe();
    expect(found.get({ name: searchAttributes.status, type: 'KEYWORD' })).toBe('internal_error');

    broken = false;
    await environment.sleep('5 minutes');
    expect(await loop.query(status)).toMatchObject({ phase: 'idle', waitingFor: null });
    broken = true;
    await expect(loop.executeUpdate(syncNow, { args: [{ runId: null }] })).rejects.toMatchObject({
      cause: { type: 'internal_error' },
    });
  });
});

test('however often somebody wakes a loop or asks it, unsigned terms are probed once in five seconds', async () => {
  const walks: number[] = [];
  const walk: Walk = async () => {
    walks.push(await now());
    return blocked('terms_not_signed');
  };

  await withLoop(walk, async (loop) => {
    await settled(async () => (await loop.query(status)).phase === 'blocked');
    for (let second = 0; second < 20; second += 1) {
      await loop.signal(wake);
      await loop.signal(wake, 'facts');
      await environment.sleep('1 second');
    }
    expect(walks.length).toBeGreaterThan(2);
    expect(gapsOf(walks)).toBeGreaterThanOrEqual(5_000);
  });
});

test('while Apple is away Sync Now tries once in five seconds', async () => {
  const walks: number[] = [];
  const walk: Walk = async (input) => {
    walks.push(await now());
    return waiting(input, iso((await now()) + minutes(3)));
  };

  await withLoop(walk, async (loop) => {
    for (let second = 0; second < 20; second += 1) {
      await loop.startUpdate(syncNow, { args: [{ runId: null }], waitForStage: 'ACCEPTED' });
      await environment.sleep('1 second');
    }
    expect(walks.length).toBeGreaterThan(2);
    expect(gapsOf(walks)).toBeGreaterThanOrEqual(5_000);
  });
});

test('a pause or a resume does not shorten a time that Apple named, a new token does', async () => {
  const inputs: WalkInput[] = [];
  const walk: Walk = async (input) => {
    inputs.push(input);
    return inputs.length === 1
      ? waiting(input, iso((await now()) + minutes(60)), true)
      : finished(input);
  };

  await withLoop(walk, async (loop) => {
    await settled(async () => (await loop.query(status)).phase === 'waiting');
    await loop.signal(wake);
    await loop.signal(wake, 'facts');
    await environment.sleep('30 minutes');
    expect(inputs.length).toBe(1);

    await loop.signal(wake, 'token');
    await settled(() => inputs.length === 2);
  });
});

test('an integration that is gone ends its loop and refuses who waited', async () => {
  let release: () => void = () => undefined;
  const walk: Walk = async () => {
    await new Promise<void>((resolve) => (release = resolve));
    return { outcome: 'gone' };
  };

  await withLoop(walk, async (loop) => {
    const asked = loop.executeUpdate(syncNow, { args: [{ runId: null }] });
    const refused = expect(asked).rejects.toMatchObject({ cause: { type: 'not_found' } });
    await settled(async () => (await updatesIn(loop)) === 1);
    release();
    await refused;
    await expect(loop.result()).resolves.toBeUndefined();
  });
});

async function withLoop(walk: Walk, body: (loop: Loop) => Promise<void>): Promise<void> {
  await withWorker(environment, bundle, { walkDevicePages: walk }, async (taskQueue) => {
    const options = syncStartOptions(randomUUID());
    const loop: Loop = await environment.client.workflow.start<typeof syncDevices>(
      syncWorkflowType,
      { ...options, taskQueue },
    );
    try {
      await body(loop);
      expect(await failedTasksIn(loop)).toEqual([]);
    } finally {
      await loop.terminate().catch(() => undefined);
    }
  });
}

/** The shortest time between two walks. */
function gapsOf(walks: number[]): number {
  return Math.min(...walks.slice(1).map((at, index) => at - (walks[index] ?? 0)));
}

async function settled(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not settle');
}

async function updatesIn(loop: Loop): Promise<number> {
  const { events } = await loop.fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes)
    .length;
}

async function failedTasksIn(loop: Loop): Promise<string[]> {
  const { events } = await loop.fetchHistory();
  return (events ?? []).flatMap(
    ({ workflowTaskFailedEventAttributes: failed }) => failed?.failure?.message ?? [],
  );
}
