import { expect, test } from 'vitest';
import { missingReferences } from './doc-references.ts';

const known = {
  hasScript: (name: string) => ['start', 'test', 'check:types'].includes(name),
  exists: (name: string) => ['worker.ts', 'docs/operations.md', 'db/', './db/'].includes(name),
};

test.each([
  ['Read `worker.ts` and [operations](docs/operations.md#keys).'],
  ['`db/` holds SQL.'],
  ['Run `npm ci && npm test`, then `npm run check:types`.'],
  ['A link to [Temporal](https://temporal.io/docs/x.md) and to [below](#keys).'],
  ['Names like `db/schema/<table>.ts`, `test/journeys/*.test.ts` and `sync/deltas` are no paths.'],
])('a document that names only what is there passes: %s', (text) => {
  expect(missingReferences(text, known)).toEqual([]);
});

test.each([
  ['Read `server.ts`.', 'there is no file or folder "server.ts"'],
  ['See [the decision](docs/decisions/none.md).', 'file or folder "docs/decisions/none.md"'],
  ['`db/stores/devices.ts` asks.', 'there is no file or folder "db/stores/devices.ts"'],
  ['First `npm run seed`.', 'there is no npm script "seed"'],
])('a document that names what is gone fails: %s', (text, message) => {
  const found = missingReferences(`# Title\n\n${text}\n`, known);

  expect(found).toEqual([{ line: 3, message: expect.stringContaining(message) as string }]);
});
