import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SyncRun } from '../../domain/sync.ts';
import { connect, type Connected } from '../stack/connect.ts';
import { expectTruth } from '../stack/expect-truth.ts';
import { startStack, type Part, type Stack } from '../stack/stack.ts';

const devices = 3000;
const pageSize = 50;
const pages = devices / pageSize;

describe('SIGKILL in the middle of a full sync', () => {
  let stack: Stack;
  let fleet: Connected;

  beforeAll(async () => {
    stack = await startStack({ devices });
    fleet = await connect(stack, { pageSize });
    await stack.api.sync(fleet.integrationId);
  });
  afterAll(() => stack.stop());

  test.each<{ part: Part }>([
    { part: 'worker' },
    { part: 'server' },
    { part: 'temporal' },
    { part: 'postgres' },
  ])('of the $part: the walk goes on where it was and ends in the truth', async ({ part }) => {
    await stack.apple.churn(fleet.server, 200);
    await stack.apple.fault({ name: 'slow', endpoints: ['fetch'], params: { delayMs: 60 } });
    await stack.apple.control('DELETE', '/stats');
    const { operation } = await stack.api.post<{ operation: { id: string } }>(
      `/api/v1/integrations/${fleet.integrationId}/sync`,
      { mode: 'full' },
    );

    await untilPagesServed(stack, 15);
    await stack.kill(part);
    await sleep(300);
    await stack.start(part);

    const run = await ended(stack, operation.id);
    await stack.apple.clearFaults();
    expect(run).toMatchObject({ state: 'succeeded', mode: 'full' });
    await expectTruth(stack, fleet);

    // From the start it would have been at least 15 pages more; a page in flight may be asked for twice.
    const { endpoints } = await stack.apple.stats();
    expect(endpoints['fetch']?.calls).toBeGreaterThanOrEqual(pages);
    expect(endpoints['fetch']?.calls).toBeLessThanOrEqual(pages + 10);
  });
});

async function untilPagesServed(stack: Stack, count: number): Promise<void> {
  for (;;) {
    const { endpoints } = await stack.apple.stats();
    if ((endpoints['fetch']?.calls ?? 0) >= count) return;
    await sleep(20);
  }
}

/** The run at its end, whoever of us had to come back first. */
async function ended(stack: Stack, id: string): Promise<SyncRun> {
  for (;;) {
    const found = await stack.api
      .get<{ operation: { run: SyncRun } }>(`/api/v1/operations/${id}`)
      .catch(() => null);
    if (found?.operation.run.finishedAt != null) return found.operation.run;
    await sleep(100);
  }
}
