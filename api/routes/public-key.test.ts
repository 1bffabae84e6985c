import { expect, test } from 'vitest';
import { anIntegration } from '../../test/api/fake-stores.ts';
import { secrets, startApp } from '../../test/api/harness.ts';

async function withIntegration() {
  const started = await startApp();
  const row = anIntegration({ name: 'Büro "Süd" / 2' });
  started.integrations.rows.set(row.id, row);
  started.integrations.keys.set(row.id, [
    { certificatePem: 'FIRST', privateKeyPem: 'PRIVATE', role: 'current' },
  ]);
  return { ...started, path: `integrations/${row.id}/public-key` };
}

test('the certificate comes as a .pem attachment that any name can be made into', async () => {
  const { ask, path } = await withIntegration();

  const { status, headers, text } = await ask('GET', path, { key: secrets.viewer });

  expect({ status, text }).toEqual({ status: 200, text: 'FIRST' });
  expect(headers.get('content-type')).toBe('application/x-pem-file');
  expect(headers.get('content-disposition')).toBe('attachment; filename="guardmdm-b-ro-s-d-2.pem"');
});

test('a staged key is answered, downloaded from then on, and leaves the current one', async () => {
  const { ask, path, integrations } = await withIntegration();

  const staged = await ask('POST', path);

  expect({ status: staged.status, text: staged.text }).toEqual({ status: 201, text: 'PEM' });
  expect((await ask('GET', path)).text).toBe('PEM');
  expect([...integrations.keys.values()][0]?.map(({ role }) => role)).toEqual([
    'staged',
    'current',
  ]);
});
