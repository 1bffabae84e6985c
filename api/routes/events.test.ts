import { expect, test } from 'vitest';
import { startApp } from '../../test/api/harness.ts';

test('the trail can be followed from an event on', async () => {
  const { ask, audit } = await startApp();
  audit.rows.push(
    ...['1', '2'].map((id) => ({
      id,
      at: '2026-06-01T12:00:00.000Z',
      actor: { kind: 'api_key' as const, id: null, name: 'admin', requestId: null },
      action: 'integration.created',
      object: { type: 'integration', id: 'x' },
      before: null,
      after: { name: 'A' },
    })),
  );

  const all = await ask('GET', 'events?limit=1');
  const rest = await ask('GET', 'events?after=1');

  expect(all.body).toMatchObject({ items: [{ id: '1' }], nextCursor: '1' });
  expect(rest.body).toMatchObject({ items: [{ id: '2' }], nextCursor: null });
});
