import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrate } from '../db/migrate.ts';
import { startPostgres } from '../dev/postgres.ts';
import { prepareTemporal } from './temporal.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A migrated database that suites clone; see `createTestDatabase`. */
    templateDatabaseUrl: string;
  }
}

/** One PostgreSQL for the whole run. It may lose everything in a crash, which is why it is quick. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  await prepareTemporal();
  const scratch = await mkdtemp(join(tmpdir(), 'guardmdm-test-'));
  await chmod(scratch, 0o755);
  const server = await startPostgres({
    dataDir: join(scratch, 'postgres'),
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      wal_level: 'minimal',
      max_wal_senders: '0',
      autovacuum_naptime: '10s',
    },
  });
  await migrate(server.url);
  project.provide('templateDatabaseUrl', server.url);
  return async () => {
    await server.stop();
    await rm(scratch, { recursive: true, force: true });
  };
}
