import { describe, expect, test } from 'vitest';
import { anIntegration } from '../../test/api/fake-stores.ts';
import { startApp } from '../../test/api/harness.ts';
import { DomainError } from '../../domain/errors.ts';

describe('making an integration', () => {
  test('answers the whole object, with defaults, awaiting its token', async () => {
    const { ask, integrations } = await startApp();

    const { status, body, headers } = await ask('POST', 'integrations', {
      json: { name: '  Head office ', notifyEmails: ['it@example.org', 'it@example.org'] },
    });

    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/api/v1/integrations/${String(body['id'])}`);
    expect(body).toEqual({
      id: body['id'],
      name: 'Head office',
      status: 'awaiting_token',
      statusReason: body['statusReason'],
      organization: null,
      serverName: null,
      serverUuid: null,
      adminId: null,
      token: null,
      sync: {
        state: 'idle',
        mode: 'delta',
        cursorAgeSeconds: 90,
        lastCheckedAt: '2026-06-01T11:59:00.000Z',
        lastFullAt: null,
        lastRun: null,
        nextRunAt: null,
      },
      counts: {
        devices: 3,
        assigned: 1,
        unassigned: 2,
        pending: 0,
        failed: 0,
        enrolled: 1,
        removed: 4,
      },
      notifyEmails: ['it@example.org'],
      pageSize: 100,
      pausedAt: null,
      createdAt: '2026-06-01T12:00:00.000Z',
      updatedAt: body['updatedAt'],
    });
    expect(body['statusReason']).toContain('upload its public key');
    expect(integrations.keys.get(String(body['id']))?.[0]?.role).toBe('current');
  });

  test('never shows the private key', async () => {
    const { ask } = await startApp();

    const { text } = await ask('POST', 'integrations', { json: { name: 'A' } });

    expect(text).not.toContain('PRIVATE');
  });
});

test('a list goes on where its page ended', async () => {
  const { ask, integrations } = await startApp();
  for (const name of ['A', 'B', 'C']) {
    const row = anIntegration({ name });
    integrations.rows.set(row.id, row);
  }

  const first = await ask('GET', 'integrations?limit=2');
  const second = await ask(
    'GET',
    `integrations?limit=2&cursor=${String(first.body['nextCursor'])}`,
  );

  expect(first.body['items']).toMatchObject([{ name: 'A' }, { name: 'B' }]);
  expect(second.body).toMatchObject({ items: [{ name: 'C' }], nextCursor: null });
});

describe('changing an integration', () => {
  test('changes what is named and nothing else', async () => {
    const { ask, integrations } = await startApp();
    const row = anIntegration({ name: 'A', pageSize: 50 });
    integrations.rows.set(row.id, row);

    const { status, body } = await ask('PATCH', `integrations/${row.id}`, { json: { name: 'B' } });

    expect(status).toBe(200);
    expect(body).toMatchObject({ name: 'B', pageSize: 50 });
  });

  test('to nothing is refused', async () => {
    const { ask, integrations } = await startApp();
    const row = anIntegration();
    integrations.rows.set(row.id, row);

    expect((await ask('PATCH', `integrations/${row.id}`, { json: {} })).status).toBe(400);
  });
});

describe('deleting an integration', () => {
  test('stops its sync first', async () => {
    const { ask, integrations, told } = await startApp();
    const row = anIntegration();
    integrations.rows.set(row.id, row);
    const real = { ...integrations };
    integrations.delete = async (id, actor) => {
      told.push(`delete ${id} by ${actor.name}`);
      return real.delete(id, actor);
    };

    const { status, text } = await ask('DELETE', `integrations/${row.id}`);

    expect({ status, text }).toEqual({ status: 204, text: '' });
    expect(told).toEqual([`stop ${row.id}`, `delete ${row.id} by admin`]);
  });

  test('changes nothing while the sync cannot be stopped', async () => {
    const { ask, integrations, deps } = await startApp();
    const row = anIntegration();
    integrations.rows.set(row.id, row);
    deps.sync.stop = async () => {
      throw new DomainError('temporal_unavailable', 'away');
    };

    const answer = await ask('DELETE', `integrations/${row.id}`);

    expect(answer).toMatchObject({ status: 503, body: { code: 'temporal_unavailable' } });
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(integrations.rows.has(row.id)).toBe(true);
  });
});
