import { expect, test } from 'vitest';
import { createEnsureLoops } from './ensure-loops.ts';

test('every integration has its loop started, at most ten at once', async () => {
  const ids = Array.from({ length: 25 }, (_, at) => `integration-${at}`);
  const started: string[] = [];
  let running = 0;
  let most = 0;
  const ensureLoops = createEnsureLoops({
    integrations: { listIds: async () => ids },
    startLoop: async (id) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      started.push(id);
    },
  });

  expect(await ensureLoops()).toEqual({ loops: 25 });
  expect(started.toSorted()).toEqual(ids.toSorted());
  expect(most).toBe(10);
});

test('a loop that cannot be started fails the call, so that it is repeated', async () => {
  const ensureLoops = createEnsureLoops({
    integrations: { listIds: async () => ['a', 'b'] },
    startLoop: async (id) => {
      if (id === 'b') throw new Error('no engine');
    },
  });
  await expect(ensureLoops()).rejects.toThrow('no engine');
});
