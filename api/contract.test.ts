import { describe, expect, test } from 'vitest';
import { aDevice, anIntegration, aRun } from '../test/api/fake-stores.ts';
import { startApp } from '../test/api/harness.ts';

/** Names that other programs read. New ones may join them; none of these may go or change. */
const fields = {
  integration:
    'id name status statusReason organization serverName serverUuid adminId token sync counts notifyEmails pageSize createdAt',
  organization: 'name id email phone address',
  token: 'expiresAt daysLeft uploadedAt',
  sync: 'state mode cursorAgeSeconds lastRun nextRunAt',
  counts: 'devices assigned unassigned pending failed enrolled removed',
  run: 'id trigger mode state startedAt finishedAt pages added modified removed unchanged error',
  operation: 'id kind state done total waitingFor nextAttemptAt',
  device:
    'serial integrationId os family model description color assetTag assignedAt assignedBy presence profile assignment enrollment groups firstSeenAt updatedAt',
  assignment: 'state appleProfileUuid error nextAttemptAt attempts',
  enrollment: 'state enrolledAt',
  problem: 'type title status detail code requestId',
  key: 'id name role secret',
  event: 'id at actor action object before after',
  list: 'items nextCursor',
};

function expectFields(value: unknown, names: keyof typeof fields): void {
  expect(Object.keys(value as object)).toEqual(expect.arrayContaining(fields[names].split(' ')));
}

async function connected() {
  const started = await startApp();
  const integration = anIntegration({
    tokenState: 'valid',
    token: { expiresAt: '2027-01-01T00:00:00.000Z', uploadedAt: '2026-01-01T00:00:00.000Z' },
    organization: {
      ...{ name: 'Acme', id: '1', email: null, phone: null, address: null },
      ...{ type: null, version: null },
    },
  });
  started.integrations.rows.set(integration.id, integration);
  const run = aRun({ integrationId: integration.id, state: 'succeeded' });
  started.syncRuns.rows.set(run.id, run);
  started.devices.rows.set('A1', aDevice({ serial: 'A1', integrationId: integration.id }));
  return { ...started, run, path: `integrations/${integration.id}` };
}

describe('the names and statuses of the contract', () => {
  test('an integration', async () => {
    const { ask, path } = await connected();

    const made = await ask('POST', 'integrations', { json: { name: 'Head office' } });
    expect(made).toMatchObject({
      status: 201,
      body: { status: 'awaiting_token', organization: null, token: null, pageSize: 100 },
    });
    const answers = [
      made,
      await ask('GET', path),
      await ask('PATCH', path, { json: { notifyEmails: ['it@acme.example'] } }),
      await ask('POST', `${path}/pause`),
      await ask('POST', `${path}/resume`),
      await ask('PUT', `${path}/server-token`, {
        body: 'x',
        headers: { 'content-type': 'application/pkcs7-mime' },
      }),
    ];

    for (const { body, status } of answers) {
      expect(status).toBeLessThan(300);
      expectFields(body, 'integration');
      expectFields(body['sync'], 'sync');
      expectFields(body['counts'], 'counts');
    }
    const { body } = await ask('GET', path);
    expectFields(body['organization'], 'organization');
    expectFields(body['token'], 'token');
    expectFields((await ask('GET', 'integrations')).body, 'list');
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
  });

  test('a public key', async () => {
    const { ask, path } = await connected();

    const staged = await ask('POST', `${path}/public-key`);
    const current = await ask('GET', `${path}/public-key`);

    expect([staged.status, current.status]).toEqual([201, 200]);
    for (const { headers, text } of [staged, current]) {
      expect(text).toBe('PEM');
      expect(headers.get('content-type')).toBe('application/x-pem-file');
      expect(headers.get('content-disposition')).toMatch(/^attachment; filename="[\w-]+\.pem"$/);
    }
  });

  test('a sync, its operation and its run', async () => {
    const { ask, path, syncRuns } = await connected();

    const started = await ask('POST', `${path}/sync`, { json: { mode: 'full' } });
    const { operation } = started.body as { operation: { id: string } };
    syncRuns.rows.set(operation.id, {
      ...syncRuns.rows.get(operation.id)!,
      state: 'succeeded',
    });
    const followed = await ask('GET', `operations/${operation.id}`);
    const runs = await ask('GET', `${path}/sync-runs`);

    expect(started.status).toBe(202);
    expect(started.headers.get('location')).toBe(`/api/v1/operations/${operation.id}`);
    expectFields(operation, 'operation');
    expectFields(followed.body, 'operation');
    expect(followed).toMatchObject({ status: 200, body: { id: operation.id, kind: 'sync' } });
    expectFields(runs.body, 'list');
    expectFields((runs.body['items'] as unknown[])[0], 'run');
  });

  test('a sync that ends within the wait answers 200 with the finished operation', async () => {
    const { ask, path, deps, run } = await connected();
    deps.sync.syncNow = async () => run;

    expect(await ask('POST', `${path}/sync?wait=60`)).toMatchObject({
      status: 200,
      body: { operation: { id: run.id, state: 'succeeded' } },
    });
  });

  test('a device', async () => {
    const { ask } = await connected();

    const list = await ask('GET', 'devices');
    const one = await ask('GET', 'devices/a1');

    expectFields(list.body, 'list');
    for (const device of [(list.body['items'] as unknown[])[0], one.body]) {
      expectFields(device, 'device');
      const { assignment, enrollment } = device as Record<string, unknown>;
      expectFields(assignment, 'assignment');
      expectFields(enrollment, 'enrollment');
    }
    expect(one.body['timeline']).toEqual([]);
    expect((await ask('GET', 'devices/nope')).status).toBe(404);
  });

  test('a device list takes every filter that the contract names', async () => {
    const { ask } = await connected();
    const id = '6f1f2d2c-6a54-4a0c-9d0e-0c6a1b1f9a11';
    const filters = `integrationId=${id}&os=ios&family=iPad&assignment=unassigned&enrollment=enrolled&profileId=${id}&groupId=${id}&q=a`;

    expect((await ask('GET', `devices?${filters}`)).status).toBe(200);
    expect((await ask('GET', `devices.csv?${filters}&columns=serial`)).status).toBe(200);
  });

  test('a key, an event and a problem', async () => {
    const { ask, audit } = await connected();
    audit.rows.push({
      ...{ id: '1', at: '2026-01-01T00:00:00.000Z', action: 'api_key.created' },
      actor: { kind: 'system', id: null, name: 'configuration', requestId: null },
      object: { type: 'api_key', id: '2' },
      ...{ before: null, after: { name: 'script' } },
    });

    const key = await ask('POST', 'api-keys', { json: { name: 'script', role: 'viewer' } });
    const events = await ask('GET', 'events');
    const later = await ask('GET', 'events?after=1');
    const refused = await ask('POST', 'api-keys', { json: { name: '', role: 'root' } });

    expect(key.status).toBe(201);
    expectFields(key.body, 'key');
    expectFields((events.body['items'] as unknown[])[0], 'event');
    expect(later.body).toEqual({ items: [], nextCursor: null });
    expect((await ask('DELETE', `api-keys/${String(key.body['id'])}`)).status).toBe(204);
    expect(refused.status).toBe(400);
    expectFields(refused.body, 'problem');
    expect(refused.body['errors']).toMatchObject([{ path: 'name' }, { path: 'role' }]);
  });

  test('what stands outside of /api/v1', async () => {
    const { ask } = await connected();

    for (const path of ['/healthz', '/readyz', '/metrics', '/api/docs', '/api/v1/openapi.json'])
      expect({ path, status: (await ask('GET', path, { key: null })).status }).toEqual({
        path,
        status: 200,
      });
  });
});
