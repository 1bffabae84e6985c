import { expect, test } from 'vitest';
import { startApp } from '../../test/api/harness.ts';

test('the page of the API runs nothing inline and takes nothing from elsewhere', async () => {
  const { ask } = await startApp();

  const page = await ask('GET', '/api/docs', { key: null });

  const policy = page.headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:/);
  expect(page.text).not.toMatch(/<script>|style="|\son\w+="/);
  const linked = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => String(path));
  expect(linked).toHaveLength(4);
  for (const path of linked) {
    expect(path).toMatch(/^\/api\/docs\//);
    const asset = await ask('GET', path, { key: null });
    expect(asset.status).toBe(200);
    expect(asset.headers.get('x-content-type-options')).toBe('nosniff');
  }
});
