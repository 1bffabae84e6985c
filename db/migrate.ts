import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { ping } from './client.ts';

const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));

/** Any number that nobody else on this database uses: "abm" in ASCII and a 1. */
const migrationLock = 0x61_62_6d_31;

/**
 * Brings the schema up to date. Any number of processes may start at once: the lock is per session,
 * hence the connection of its own. Throws `database_unavailable` with what to do.
 */
export async function migrate(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, connect_timeout: 10 });
  try {
    await ping({ sql });
    await sql`select pg_advisory_lock(${migrationLock})`;
    await runMigrations(drizzle(sql), { migrationsFolder, migrationsSchema: 'public' });
  } finally {
    // Ending the session gives the lock back.
    await sql.end({ timeout: 5 });
  }
}
