import { expect, test } from 'vitest';
import { AppleCallCounter } from './apple-calls.ts';

const sync = { endpoint: '/devices/sync', code: 'ok' };

test('calls are counted by endpoint, code and the range of their duration', () => {
  const counter = new AppleCallCounter();
  for (const seconds of [0.05, 0.051, 0.1, 61]) counter.count({ ...sync, seconds });
  counter.count({ ...sync, code: 'SERVER_ERROR', seconds: 0.01 });

  expect(counter.drain()).toEqual([
    { ...sync, upToSeconds: 0.05, calls: 1, seconds: 0.05 },
    { ...sync, upToSeconds: 0.1, calls: 2, seconds: 0.051 + 0.1 },
    { ...sync, upToSeconds: null, calls: 1, seconds: 61 },
    { ...sync, code: 'SERVER_ERROR', upToSeconds: 0.05, calls: 1, seconds: 0.01 },
  ]);
});

test('what was drained is gone, and what could not be stored comes back to what was counted since', () => {
  const counter = new AppleCallCounter();
  counter.count({ ...sync, seconds: 1 });
  const drained = counter.drain();
  expect(counter.drain()).toEqual([]);

  counter.count({ ...sync, seconds: 1 });
  counter.restore(drained);

  expect(counter.drain()).toEqual([{ ...sync, upToSeconds: 1, calls: 2, seconds: 2 }]);
});
