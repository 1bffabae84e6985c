import { expect, test } from 'vitest';
import { anIntegration } from '../../test/api/fake-stores.ts';
import { startApp } from '../../test/api/harness.ts';

test('tells sync age, token life, devices by state, calls to Apple and requests', async () => {
  const call = { endpoint: '/devices/sync', code: 'ok' };
  const { ask, integrations } = await startApp({
    appleCalls: {
      totals: async () => [
        { ...call, upToSeconds: 0.1, calls: 3, seconds: 0.2 },
        { ...call, upToSeconds: null, calls: 1, seconds: 70 },
      ],
    },
  });
  const row = anIntegration({
    name: 'A "B"\nC',
    tokenState: 'valid',
    token: { expiresAt: '2026-06-02T12:00:00.000Z', uploadedAt: '2026-05-01T12:00:00.000Z' },
  });
  integrations.rows.set(row.id, row);
  await ask('GET', `integrations/${row.id}`);
  await ask('GET', '/whatever', { key: null });

  const { status, text, headers } = await ask('GET', '/metrics', { key: null });

  const labels = `integration="${row.id}",name="A \\"B\\"\\nC"`;
  expect(status).toBe(200);
  expect(headers.get('content-type')).toContain('text/plain');
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      `abm_sync_age_seconds{${labels}} 60`,
      `abm_token_expiry_seconds{${labels}} 86400`,
      `abm_integration_status{${labels},status="expiring"} 1`,
      `abm_devices{${labels},state="unassigned"} 2`,
      `abm_devices{${labels},state="removed"} 4`,
      'abm_apple_calls_total{endpoint="/devices/sync",code="ok"} 4',
      'abm_apple_call_duration_seconds_bucket{endpoint="/devices/sync",code="ok",le="0.05"} 0',
      'abm_apple_call_duration_seconds_bucket{endpoint="/devices/sync",code="ok",le="60"} 3',
      'abm_apple_call_duration_seconds_bucket{endpoint="/devices/sync",code="ok",le="+Inf"} 4',
      'abm_apple_call_duration_seconds_sum{endpoint="/devices/sync",code="ok"} 70.2',
      'abm_apple_call_duration_seconds_count{endpoint="/devices/sync",code="ok"} 4',
      'abm_database_up 1',
      'http_request_duration_seconds_count{method="GET",route="/api/v1/integrations/:id",status="200"} 1',
      'http_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 1',
    ]),
  );
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
});

test('before the first sync has ended, its age counts from the token', async () => {
  const { ask, integrations } = await startApp();
  const overview = await integrations.overview('');
  integrations.overview = async () => ({ ...overview, lastCheckedAt: null });
  const waiting = anIntegration({
    name: 'waiting',
    token: { expiresAt: '2027-01-01T00:00:00.000Z', uploadedAt: '2026-06-01T11:00:00.000Z' },
  });
  const unconnected = anIntegration({ name: 'unconnected' });
  for (const row of [waiting, unconnected]) integrations.rows.set(row.id, row);

  const { text } = await ask('GET', '/metrics', { key: null });

  const ages = text.split('\n').filter((line) => line.startsWith('abm_sync_age_seconds'));
  expect(ages).toEqual([`abm_sync_age_seconds{integration="${waiting.id}",name="waiting"} 3600`]);
});

test('while the database is away, tells that and what the process knows', async () => {
  const { ask, integrations } = await startApp();
  integrations.list = () => Promise.reject(new Error('secret'));

  const { status, text } = await ask('GET', '/metrics', { key: null });

  expect(status).toBe(200);
  expect(text).toMatch(/^abm_database_up 0$/m);
  expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
  expect(text).not.toContain('secret');
});
