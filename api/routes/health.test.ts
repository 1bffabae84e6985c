import { describe, expect, test } from 'vitest';
import { startApp } from '../../test/api/harness.ts';

describe('readiness', () => {
  test('needs the database and Temporal', async () => {
    const { ask } = await startApp();

    expect(await ask('GET', '/readyz', { key: null })).toMatchObject({
      status: 200,
      body: { checks: { database: 'up', temporal: 'up' } },
    });
  });

  test.each([
    ['database', 'database_unavailable', { database: 'down', temporal: 'up' }],
    ['temporal', 'temporal_unavailable', { database: 'up', temporal: 'down' }],
  ])('says that the %s is down, and the process is up all the same', async (part, code, checks) => {
    const { ask, deps } = await startApp(
      part === 'database' ? { pingDatabase: () => Promise.reject(new Error('secret')) } : {},
    );
    if (part === 'temporal') deps.sync.ping = () => Promise.reject(new Error('secret'));

    const ready = await ask('GET', '/readyz', { key: null });
    const health = await ask('GET', '/healthz', { key: null });

    expect(ready).toMatchObject({ status: 503, body: { code, checks } });
    expect(ready.body['detail']).toContain(part);
    expect(ready.text).not.toContain('secret');
    expect(health.status).toBe(200);
  });
});
