import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SyncRun } from '../../domain/sync.ts';
import type { FaultRequest } from '../stack/apple-client.ts';
import { connect, uploadToken, type Connected } from '../stack/connect.ts';
import { expectTruth } from '../stack/expect-truth.ts';
import { startStack, type Stack } from '../stack/stack.ts';

describe('Apple in every mood', () => {
  let stack: Stack;
  let fleet: Connected;

  beforeAll(async () => {
    stack = await startStack({ devices: 600 });
    fleet = await connect(stack, { pageSize: 50 });
    await stack.api.sync(fleet.integrationId);
  });
  afterEach(() => stack.apple.clearFaults());
  afterAll(() => stack.stop());

  const path = () => `/api/v1/integrations/${fleet.integrationId}`;
  const status = async () =>
    (await stack.api.get<{ status: string; statusReason: string | null }>(path())).status;

  const passing: FaultRequest[] = [
    { name: 'http_500', count: 1, skip: 2 },
    { name: 'http_503', count: 1, skip: 2, params: { retryAfterSeconds: 1 } },
    { name: 'http_503', count: 1, params: { retryAfterSeconds: 2, retryAfterForm: 'date' } },
    { name: 'too_many_requests', count: 1, skip: 1, params: { retryAfterSeconds: 1 } },
    { name: 'html_error', count: 1, skip: 1 },
    { name: 'connection_reset', count: 1, skip: 3 },
    { name: 'half_json', count: 1, skip: 1 },
    { name: 'torn_body', count: 1, skip: 1 },
    { name: 'wrong_shape', count: 1, skip: 1, endpoints: ['fetch'] },
    { name: 'slow', count: 3, params: { delayMs: 400 } },
    { name: 'session_expired', count: 1, skip: 2 },
    { name: 'session_rotates', count: 4 },
    { name: 'expired_cursor', count: 1 },
    { name: 'invalid_cursor', count: 1, skip: 3 },
    { name: 'duplicate_device_in_page', count: 5 },
    { name: 'empty_page', count: 1, skip: 2 },
    { name: 'churn', count: 10, params: { changes: 5 } },
  ];

  test.each(passing)('$name: the run recovers and ends in the truth', async (fault) => {
    await stack.apple.churn(fleet.server, 30);
    const { id } = await stack.apple.fault(fault);
    const run = await stack.api.sync(fleet.integrationId, 'full');
    expect(run).toMatchObject({ state: 'succeeded', mode: 'full' });
    // A fault with a count leaves the list when it has struck that often.
    expect(await activeFault(id)).toBeUndefined();
    // What changed behind the walk's back is the next delta's to find; nothing else may be missing.
    if (fault.name === 'churn') await stack.api.sync(fleet.integrationId);
    await expectTruth(stack, fleet);
  });

  test('while Apple is down the run says that it waits, for what, and until when', async () => {
    await stack.apple.churn(fleet.server, 10);
    const { id } = await stack.apple.fault({ name: 'connection_reset' });
    const asked = await stack.api.post<{ operation: { id: string } }>(`${path()}/sync?wait=1`, {});
    const waiting = await runWhen(asked.operation.id, (run) => run.state === 'waiting');
    expect(waiting).toMatchObject({ waitingFor: 'apple_unreachable' });
    expect(Date.parse(waiting.nextAttemptAt ?? '')).toBeGreaterThan(Date.parse(waiting.queuedAt));
    expect((await activeFault(id))?.struck).toBeGreaterThan(0);

    await stack.apple.clearFaults();
    const run = await runWhen(asked.operation.id, (found) => found.finishedAt !== null);
    expect(run).toMatchObject({ state: 'succeeded', error: null });
    await expectTruth(stack, fleet);
  });

  test('a cursor that Apple repeats ends the run with a word for it, and the next run goes on', async () => {
    await stack.apple.churn(fleet.server, 20);
    const { id } = await stack.apple.fault({
      name: 'same_cursor',
      endpoints: ['sync'],
      count: 1,
    });
    expect(await stack.api.sync(fleet.integrationId)).toMatchObject({
      state: 'failed',
      error: { code: 'apple_cursor_stuck' },
    });
    expect(await activeFault(id)).toBeUndefined();
    expect((await stack.api.sync(fleet.integrationId)).state).toBe('succeeded');
    await expectTruth(stack, fleet);
  });

  test('unsigned terms are a state, not a storm, and clear by themselves', async () => {
    await stack.apple.portal('PUT', '/terms', { accepted: false });
    await stack.apple.control('DELETE', '/stats');
    await stack.api.call('POST', `${path()}/sync?wait=20`, {});
    await until(async () => (await status()) === 'terms_not_signed');
    const refused = await stack.api.call('POST', `${path()}/sync`, {});
    expect([refused.status, refused.body['code']]).toEqual([409, 'terms_not_signed']);
    const calls = Object.values((await stack.apple.stats()).endpoints).reduce(
      (sum, endpoint) => sum + endpoint.calls,
      0,
    );
    expect(calls).toBeLessThanOrEqual(6);

    await stack.apple.portal('PUT', '/terms', { accepted: true });
    await stack.apple.churn(fleet.server, 10);
    // Asking again makes the loop look at once; it would by itself within five minutes.
    await stack.api.call('POST', `${path()}/sync`, {});
    await until(async () => (await status()) === 'active');
    await stack.api.sync(fleet.integrationId);
    await expectTruth(stack, fleet);
  });

  test('a token that was superseded at ABM is said to be, and a new one goes on at once', async () => {
    const next = await stack.apple.downloadToken(fleet.server);
    await stack.apple.control('POST', '/sessions/end', { server: fleet.server });
    await stack.apple.churn(fleet.server, 10);
    await stack.api.call('POST', `${path()}/sync?wait=20`, {});
    await until(async () => (await status()) === 'token_rejected');
    const refused = await stack.api.call('POST', `${path()}/sync`, {});
    expect([refused.status, refused.body['code']]).toEqual([409, 'token_rejected']);

    expect((await uploadToken(stack.api, fleet.integrationId, next)).status).toBe(200);
    expect(await status()).toBe('active');
    await until(async () => {
      const [latest] = await stack.api.all<SyncRun>(`${path()}/sync-runs`);
      return latest?.state === 'succeeded';
    });
    await stack.api.sync(fleet.integrationId);
    await expectTruth(stack, fleet);
  });

  test('a token that runs out stops the walk with that reason', async () => {
    const expiresAt = new Date(Date.now() + 4_000).toISOString();
    const file = await stack.apple.downloadToken(fleet.server, { expiresAt });
    expect((await uploadToken(stack.api, fleet.integrationId, file)).status).toBe(200);
    await until(async () => (await status()) === 'expired');
    const refused = await stack.api.call('POST', `${path()}/sync`, {});
    expect([refused.status, refused.body['code']]).toEqual([409, 'token_expired']);

    const renewed = await stack.apple.downloadToken(fleet.server);
    expect((await uploadToken(stack.api, fleet.integrationId, renewed)).status).toBe(200);
    expect((await stack.api.sync(fleet.integrationId)).state).toBe('succeeded');
  });

  async function activeFault(id: number): Promise<{ struck: number } | undefined> {
    const { active } = await stack.apple.control<{ active: { id: number; struck: number }[] }>(
      'GET',
      '/faults',
    );
    return active.find((fault) => fault.id === id);
  }

  async function runWhen(id: string, is: (run: SyncRun) => boolean): Promise<SyncRun> {
    for (;;) {
      const { operation } = await stack.api.get<{ operation: { run: SyncRun } }>(
        `/api/v1/operations/${id}`,
      );
      if (is(operation.run)) return operation.run;
      await sleep(100);
    }
  }
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(100);
}
