import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import type { Integration } from '../../domain/integration.ts';
import { anIntegration } from '../../test/api/fake-stores.ts';
import { secrets, startApp } from '../../test/api/harness.ts';

const connected = (patch: Partial<Integration> = {}) =>
  anIntegration({
    name: 'Head office',
    serverName: 'GuardMDM',
    tokenState: 'valid',
    token: { expiresAt: '2027-06-01T12:00:00.000Z', uploadedAt: '2026-05-01T12:00:00.000Z' },
    organization: {
      name: 'Example Inc.',
      id: '1',
      email: null,
      phone: null,
      address: null,
      type: null,
      version: null,
    },
    ...patch,
  });

async function withIntegration(row = connected()) {
  const started = await startApp();
  started.integrations.rows.set(row.id, row);
  return { ...started, row, path: `integrations/${row.id}/sync` };
}

describe('Sync Now', () => {
  test('answers 202 with the operation and where to follow it', async () => {
    const { ask, path, row, syncRuns, told } = await withIntegration();

    const { status, body, headers } = await ask('POST', path, { key: secrets.operator });

    const [run] = syncRuns.rows.values();
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/api/v1/operations/${String(run?.id)}`);
    expect(body).toMatchObject({
      operation: {
        id: run?.id,
        kind: 'sync',
        state: 'queued',
        done: 0,
        total: null,
        run: { mode: 'delta' },
      },
    });
    expect(told).toEqual([`syncNow ${row.id} ${String(run?.id)} 0`]);
  });

  test.each([{}, { body: '' }, { json: {} }, { json: { mode: 'delta' } }])(
    'takes %j for a body',
    async (init) => {
      const { ask, path } = await withIntegration();

      const headers = { 'content-type': 'application/json' };
      expect((await ask('POST', path, { headers, ...init })).status).toBe(202);
    },
  );

  test('joins the run that is open', async () => {
    const { ask, path, syncRuns } = await withIntegration();

    const first = await ask('POST', path);
    const second = await ask('POST', path, { json: { mode: 'full' } });

    expect(first.body).toMatchObject({ operation: { id: [...syncRuns.rows.keys()][0] } });
    expect(second.body['operation']).toEqual(first.body['operation']);
    expect(syncRuns.rows.size).toBe(1);
  });

  test('with wait answers 200 with the finished operation', async () => {
    const { ask, path, deps, syncRuns } = await withIntegration();
    deps.sync.syncNow = async (_id, runId, waitSeconds) => {
      const run = syncRuns.rows.get(runId);
      if (run === undefined || waitSeconds !== 30) return undefined;
      return { ...run, state: 'succeeded', added: 12, unchanged: 3, pages: 1 };
    };

    const { status, body } = await ask('POST', `${path}?wait=30`, { json: { mode: 'full' } });

    expect(status).toBe(200);
    expect(body).toMatchObject({
      operation: { state: 'succeeded', done: 15, total: 15, run: { mode: 'full', added: 12 } },
    });
  });

  test('answers 202 while Temporal is away: the run is written and will be taken up', async () => {
    const { ask, path, deps, syncRuns } = await withIntegration();
    deps.sync.syncNow = async () => {
      throw new DomainError('temporal_unavailable', 'away');
    };

    const answer = await ask('POST', `${path}?wait=10`);

    expect(answer).toMatchObject({ status: 202, body: { operation: { state: 'queued' } } });
    expect(syncRuns.rows.size).toBe(1);
  });

  test('answers a block that only the loop knew of', async () => {
    const { ask, path, deps } = await withIntegration();
    deps.sync.syncNow = async () => {
      throw new DomainError('terms_not_signed', 'Sign.');
    };

    expect(await ask('POST', path)).toMatchObject({
      status: 409,
      body: { code: 'terms_not_signed', detail: 'Sign.' },
    });
  });

  test.each<[string, Partial<Integration>, RegExp]>([
    ['awaiting_token', { token: null, tokenState: 'none' }, /upload its public key/],
    [
      'token_expired',
      { token: { expiresAt: '2026-05-31T00:00:00.000Z', uploadedAt: '' } },
      /"GuardMDM" \(Example Inc\.\).*upload it here/,
    ],
    ['terms_not_signed', { tokenState: 'terms_not_signed' }, /"Example Inc\.".*accepts them/],
    [
      'token_rejected',
      { tokenState: 'rejected', tokenStateDetail: 'token_rejected' },
      /it says: token_rejected.*download a new token/,
    ],
    ['paused', { pausedAt: '2026-05-31T00:00:00.000Z' }, /resume/],
  ])('is 409 %s with its remedy, and queues nothing', async (code, patch, remedy) => {
    const { ask, path, syncRuns, told, row } = await withIntegration(connected(patch));

    const answer = await ask('POST', path);

    expect(answer).toMatchObject({ status: 409, body: { code } });
    expect(answer.body['detail']).toMatch(remedy);
    expect(syncRuns.rows.size).toBe(0);
    const probes = code === 'terms_not_signed' || code === 'token_rejected';
    expect(told).toEqual(probes ? [`wake ${row.id}`] : []);
  });

  test.each([[{ mode: 'half' }], [{ Mode: 'full' }], [[]]])('refuses the body %j', async (json) => {
    const { ask, path, syncRuns } = await withIntegration();

    expect((await ask('POST', path, { json })).status).toBe(400);
    expect(syncRuns.rows.size).toBe(0);
  });
});

describe('pause and resume', () => {
  test('hold and release the sync, may be repeated, and wake the loop to see it', async () => {
    const { ask, row, told } = await withIntegration();

    const paused = await ask('POST', `integrations/${row.id}/pause`, { key: secrets.operator });
    const again = await ask('POST', `integrations/${row.id}/pause`);
    const resumed = await ask('POST', `integrations/${row.id}/resume`);

    expect(paused).toMatchObject({ status: 200, body: { status: 'paused' } });
    expect(again).toMatchObject({ status: 200, body: { status: 'paused' } });
    expect(resumed).toMatchObject({ status: 200, body: { status: 'active', pausedAt: null } });
    expect(told).toEqual(Array(3).fill(`wake ${row.id}`));
  });

  test('work while Temporal is away', async () => {
    const { ask, row, deps } = await withIntegration();
    deps.sync.wake = async () => {
      throw new DomainError('temporal_unavailable', 'away');
    };

    expect((await ask('POST', `integrations/${row.id}/pause`)).status).toBe(200);
  });
});
