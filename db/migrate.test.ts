import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/database.ts';
import { migrate } from './migrate.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});

test('three processes that start at once bring an empty database up to date', async () => {
  for (let round = 0; round < 3; round += 1) {
    await database.sql`drop schema public cascade`;
    await database.sql`create schema public`;
    await Promise.all([migrate(database.url), migrate(database.url), migrate(database.url)]);
    const [row] = await database.sql`select count(*)::int as n from information_schema.tables
      where table_schema = 'public' and table_name in ('devices', 'sync_runs', 'api_keys')`;
    expect(row).toEqual({ n: 3 });
  }
});

test('migrating an up-to-date database changes nothing', async () => {
  const before = await database.sql`select count(*) from __drizzle_migrations`;
  await migrate(database.url);
  expect(await database.sql`select count(*) from __drizzle_migrations`).toEqual(before);
});

test('an unreachable server is named together with what to do, without the password', async () => {
  const failure = migrate('postgres://someone:hunter2@127.0.0.1:1/nowhere');
  await expect(failure).rejects.toMatchObject({ code: 'database_unavailable' });
  await expect(failure).rejects.toThrow(/127\.0\.0\.1:1 .*nothing listens there.*DATABASE_URL/);
  await expect(failure).rejects.not.toThrow(/hunter2/);
});

test('a database that does not exist is answered with the command that makes it', async () => {
  const missing = new URL(database.url);
  missing.pathname = '/nowhere';
  await expect(migrate(missing.href)).rejects.toThrow(/createdb nowhere/);
});
