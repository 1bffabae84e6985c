import { describe, expect, test } from 'vitest';
import { anIntegration } from '../../test/api/fake-stores.ts';
import { secrets, startApp } from '../../test/api/harness.ts';

const once = { headers: { 'idempotency-key': 'order-7' } };

describe('a write under an Idempotency-Key', () => {
  test('is done once and answered alike', async () => {
    const { ask, integrations } = await startApp();

    const first = await ask('POST', 'integrations', { ...once, json: { name: 'A' } });
    const second = await ask('POST', 'integrations', { ...once, json: { name: 'A' } });

    expect(integrations.rows.size).toBe(1);
    expect(second).toMatchObject({ status: 201, text: first.text });
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(second.headers.get('content-type')).toBe('application/json');
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
  });

  test('that says something else is refused, and does nothing', async () => {
    const { ask, integrations } = await startApp();

    await ask('POST', 'integrations', { ...once, json: { name: 'A' } });
    const other = await ask('POST', 'integrations', { ...once, json: { name: 'B' } });

    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    expect(integrations.rows.size).toBe(1);
  });

  test('sent twice at once is done once', async () => {
    const { ask, integrations } = await startApp();

    const answers = await Promise.all(
      [1, 2, 3].map(async () => ask('POST', 'integrations', { ...once, json: { name: 'A' } })),
    );

    expect(integrations.rows.size).toBe(1);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  test('may be tried again after it failed', async () => {
    const { ask, integrations } = await startApp();
    const real = { ...integrations };
    integrations.create = async () => {
      throw Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    };
    const failed = await ask('POST', 'integrations', { ...once, json: { name: 'A' } });
    integrations.create = async (input, actor) => real.create(input, actor);

    const second = await ask('POST', 'integrations', { ...once, json: { name: 'A' } });

    expect([failed.status, second.status]).toEqual([503, 201]);
  });

  test('belongs to its API key', async () => {
    const { ask, integrations } = await startApp();
    const row = anIntegration({ tokenState: 'valid' });
    integrations.rows.set(row.id, row);

    const one = await ask('POST', `integrations/${row.id}/pause`, once);
    const two = await ask('POST', `integrations/${row.id}/pause`, {
      ...once,
      key: secrets.operator,
    });

    expect([one.status, two.status]).toEqual([200, 200]);
    expect(two.headers.get('idempotency-replayed')).toBeNull();
  });

  test('of a form is the same form whatever its boundary', async () => {
    const { ask, integrations, deps } = await startApp();
    const row = anIntegration();
    integrations.rows.set(row.id, row);
    let uploads = 0;
    const { activateToken } = deps;
    deps.activateToken = async (input, actor) => {
      uploads += 1;
      return activateToken(input, actor);
    };
    const upload = async () => {
      const form = new FormData();
      form.set('file', new Blob(['token']), 'token.p7m');
      return ask('PUT', `integrations/${row.id}/server-token`, { ...once, body: form });
    };

    expect([(await upload()).status, (await upload()).status]).toEqual([200, 200]);
    expect(uploads).toBe(1);
  });

  test('with a key that is none is refused', async () => {
    const { ask } = await startApp();

    const answer = await ask('POST', 'integrations', {
      headers: { 'idempotency-key': 'x'.repeat(256) },
      json: { name: 'A' },
    });

    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});
