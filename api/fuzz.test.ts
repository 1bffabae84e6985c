import fc from 'fast-check';
import { expect, test } from 'vitest';
import { aDevice, anIntegration, aRun } from '../test/api/fake-stores.ts';
import { startApp } from '../test/api/harness.ts';

const id = '6f1f2d2c-6a54-4a0c-9d0e-0c6a1b1f9a11';

const paths = fc.constantFrom(
  ...['integrations', 'devices', 'devices.csv', 'events', 'api-keys', 'nope'],
  ...['', '/public-key', '/server-token', '/sync', '/sync-runs', '/pause', '/resume'].map(
    (tail) => `integrations/${id}${tail}`,
  ),
  ...[`operations/${id}`, `operations/${id}/cancel`, 'devices/C39XQ0AAJ1WL'],
);
const fieldNames = fc.oneof(
  fc.constantFrom('name', 'notifyEmails', 'pageSize', 'role', 'expiresAt', 'mode'),
  fc.string({ unit: 'binary' }),
);
const bodies = fc.oneof(
  fc.dictionary(fieldNames, fc.jsonValue()).map((value) => JSON.stringify(value)),
  fc.json(),
  fc.string({ unit: 'binary' }),
);
const queries = fc.dictionary(
  fc.oneof(
    fc.constantFrom('limit', 'cursor', 'after', 'q', 'os', 'family', 'columns', 'wait', 'presence'),
    fc.string({ unit: 'grapheme' }),
  ),
  fc.string({ unit: 'grapheme' }),
  { maxKeys: 3 },
);

test('whatever is sent, the answer is never a 500 and every failure is a problem', async () => {
  const { app, integrations, devices, syncRuns } = await startApp();
  integrations.keys.set(id, [{ certificatePem: 'PEM', privateKeyPem: 'P', role: 'current' }]);
  devices.rows.set('C39XQ0AAJ1WL', aDevice());

  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
      paths,
      queries,
      bodies,
      fc.constantFrom(
        'application/json',
        'text/plain',
        'multipart/form-data; boundary=x',
        'application/octet-stream',
        '',
        'garbage',
      ),
      fc.option(fc.stringMatching(/^[\x20-\x7e]{0,300}$/)),
      async (method, path, query, body, type, idempotencyKey) => {
        integrations.rows.set(id, anIntegration({ id }));
        syncRuns.rows.set(id, aRun({ id, integrationId: id }));
        const search = new URLSearchParams({ ...query, wait: '0' });
        if (!path.endsWith('sync')) search.delete('wait');
        const response = await app.request(`/api/v1/${path}?${search.toString()}`, {
          method,
          headers: {
            authorization: 'Bearer gmk_admin_admin_admin_admin_admin',
            ...(type === '' ? {} : { 'content-type': type }),
            ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }),
          },
          ...(method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? {} : { body }),
        });

        expect(response.status).not.toBe(500);
        if (response.status >= 400)
          expect(response.headers.get('content-type')).toBe('application/problem+json');
        await response.arrayBuffer();
      },
    ),
    { numRuns: 600 },
  );
});
