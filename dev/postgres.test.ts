import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDatabase } from '../db/client.ts';
import { startPostgres } from './postgres.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'guardmdm-embedded-')), 'postgres');
  // mkdtemp's directory is closed to other accounts, and the server's may be another one.
  spawnSync('chmod', ['755', join(dataDir, '..')]);
});
afterEach(async () => {
  await rm(join(dataDir, '..'), { recursive: true, force: true });
});

describe('embedded PostgreSQL', () => {
  it('keeps its data between starts and leaves no process behind', async () => {
    const first = await startPostgres({ dataDir });
    await query(first.url, 'create table kept as select 7 as n');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await startPostgres({ dataDir });
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
    await second.stop();
  });

  it('takes over from a server that a crash left behind', async () => {
    const left = await startPostgres({ dataDir });
    const next = await startPostgres({ dataDir });
    expect(isAlive(left.pid)).toBe(false);
    expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await next.stop();
    await left.stop();
  });

  it('starts again after it was killed', async () => {
    const killed = await startPostgres({ dataDir });
    process.kill(killed.pid, 'SIGKILL');
    const next = await startPostgres({ dataDir });
    expect(await query(next.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    await next.stop();
    await killed.stop();
  });

  it('says why it cannot start', async () => {
    const first = await startPostgres({ dataDir });
    await first.stop();
    await writeFile(join(dataDir, 'PG_VERSION'), '9.6\n');
    await expect(startPostgres({ dataDir })).rejects.toThrow(/did not start on .*9\.6/s);
  });
});

async function query(url: string, text: string): Promise<unknown[]> {
  const database = createDatabase(url);
  try {
    return [...(await database.sql.unsafe(text))];
  } finally {
    await database.close();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
