import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { aRun, anIntegration } from '../../test/api/fake-stores.ts';
import { startApp } from '../../test/api/harness.ts';

describe('following an operation', () => {
  test('shows a waiting one with what it waits for', async () => {
    const { ask, syncRuns } = await startApp();
    const run = aRun({
      state: 'waiting',
      waitingFor: 'apple_unreachable',
      nextAttemptAt: '2026-06-01T12:05:00.000Z',
      unchanged: 7,
    });
    syncRuns.rows.set(run.id, run);

    const { status, body } = await ask('GET', `operations/${run.id}`);

    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: 'waiting',
      run: { id: run.id },
      operation: {
        state: 'waiting',
        waitingFor: 'apple_unreachable',
        nextAttemptAt: '2026-06-01T12:05:00.000Z',
        done: 7,
        total: null,
      },
    });
  });

  test('with wait answers as soon as it has ended', async () => {
    const { ask, syncRuns } = await startApp();
    const run = aRun({ state: 'running' });
    syncRuns.rows.set(run.id, run);

    const answer = ask('GET', `operations/${run.id}?wait=60`);
    await sleep(20);
    syncRuns.rows.set(run.id, { ...run, state: 'succeeded' });

    expect((await answer).body).toMatchObject({ operation: { state: 'succeeded' } });
  });

  test('with wait answers as it stands when the process stops', async () => {
    const stopping = new AbortController();
    const { ask, syncRuns } = await startApp({ stopping: stopping.signal });
    const run = aRun({ state: 'running' });
    syncRuns.rows.set(run.id, run);

    const answer = ask('GET', `operations/${run.id}?wait=60`);
    await sleep(20);
    stopping.abort();

    expect((await answer).body).toMatchObject({ operation: { state: 'running' } });
  });
});

describe('cancelling', () => {
  test('ends a queued run, and may be repeated', async () => {
    const { ask, syncRuns } = await startApp();
    const run = aRun();
    syncRuns.rows.set(run.id, run);

    const first = await ask('POST', `operations/${run.id}/cancel`);
    const second = await ask('POST', `operations/${run.id}/cancel`);

    expect(first).toMatchObject({ status: 200, body: { operation: { state: 'cancelled' } } });
    expect(second.status).toBe(200);
  });

  test.each([
    ['running', /pause the integration/],
    ['succeeded', /ended already/],
  ] as const)('a %s one is 409 and says what to do', async (state, remedy) => {
    const { ask, syncRuns } = await startApp();
    const run = aRun({ state });
    syncRuns.rows.set(run.id, run);

    const answer = await ask('POST', `operations/${run.id}/cancel`);

    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(answer.body['detail']).toMatch(remedy);
  });
});

test('the runs of an integration can be listed and shown, and not through another', async () => {
  const { ask, syncRuns, integrations } = await startApp();
  const [mine, other] = [anIntegration(), anIntegration()];
  for (const row of [mine, other]) integrations.rows.set(row.id, row);
  const run = aRun({ integrationId: mine.id, state: 'succeeded', added: 12 });
  syncRuns.rows.set(run.id, run);

  const list = await ask('GET', `integrations/${mine.id}/sync-runs`);
  const one = await ask('GET', `integrations/${mine.id}/sync-runs/${run.id}`);
  const foreign = await ask('GET', `integrations/${other.id}/sync-runs/${run.id}`);

  expect(list.body).toEqual({ items: [run], nextCursor: null });
  expect(one.body).toEqual(run);
  expect(foreign.status).toBe(404);
});
