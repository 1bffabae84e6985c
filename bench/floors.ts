import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import type { Stack } from '../test/stack/stack.ts';
import { createSealer } from '../db/sealing.ts';
import { createDatabase } from '../db/client.ts';
import { createAdeSessionStore } from '../db/stores/ade-sessions.ts';

const run = promisify(execFile);

/** Milliseconds that a bare loop takes to fetch and parse the whole list, a page after the other. */
export async function bareFetch(
  stack: Stack,
  integrationId: string,
  pageSize: number,
): Promise<number> {
  const database = createDatabase(stack.databaseUrl, { max: 2 });
  const sessions = createAdeSessionStore({
    ...database,
    sealer: createSealer(stack.encryptionKey),
  });
  const session = await sessions.find(integrationId);
  await database.close();
  if (session === undefined) throw new Error('no session: sync first');
  const { stdout } = await run(process.execPath, [
    ...['--import', 'tsx', path.join(import.meta.dirname, 'floor-fetch-main.ts')],
    ...[stack.apple.url, session.token, String(pageSize)],
  ]);
  return (JSON.parse(stdout) as { ms: number }).ms;
}

/** Milliseconds of `COPY`, file to table, of the integration's rows with the same columns and indexes. */
export async function bareCopy(stack: Stack, integrationId: string): Promise<number> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'guardmdm-bench-'));
  await chmod(scratch, 0o777); // PostgreSQL runs as another user
  const file = path.join(scratch, 'devices');
  const sql = postgres(stack.databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(
      `copy (select * from devices where integration_id = '${integrationId}') to '${file}'`,
    );
    await sql`drop table if exists floor_devices`;
    await sql`create table floor_devices (like devices including all)`;
    const started = performance.now();
    await sql.unsafe(`copy floor_devices from '${file}'`);
    const ms = performance.now() - started;
    await sql`drop table floor_devices`;
    return ms;
  } finally {
    await sql.end();
    await rm(scratch, { recursive: true, force: true });
  }
}
