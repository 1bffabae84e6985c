import { expect, test } from 'vitest';
import { bundleWorkflows } from '../test/temporal.ts';

test('every workflow loads in the sandbox, without the world of the activities', async () => {
  const bundle = await bundleWorkflows();
  const code = 'code' in bundle ? bundle.code : '';
  expect(code).toContain('syncDevices');
  expect(code).toContain('watchLoops');
  for (const stranger of ['undici', 'postgres', 'drizzle', 'walk-slice'])
    expect(code.includes(`node_modules/${stranger}/`) || code.includes(`${stranger}.ts`)).toBe(
      false,
    );
});
