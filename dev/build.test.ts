import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../test/database.ts';
import { taskQueue } from '../workflows/contract.ts';
import { spawnChild, type Child } from './child.ts';
import { portFinder } from './ports.ts';
import { answersOk } from './readiness.ts';
import { startTemporal, type LocalTemporal } from './temporal.ts';

const root = path.resolve(import.meta.dirname, '..');
const adminKey = 'an-admin-key-of-some-length';
const children: Child[] = [];
let database: TestDatabase;
let temporal: LocalTemporal;
let port: number;

beforeAll(async () => {
  const built = spawnSync(process.execPath, ['--import', 'tsx', 'dev/build.ts'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(built.status, built.stdout + built.stderr).toBe(0);
  [database, temporal] = await Promise.all([createTestDatabase(), startTemporal({ uiPort: null })]);
  port = await portFinder([])(21_000 + Math.floor(Math.random() * 30_000));
}, 180_000);

afterAll(async () => {
  await Promise.all(children.map((child) => child.stop()));
  await temporal.stop();
  await database.drop();
});

test('the built migrations bring an empty database up to date', async () => {
  const empty = new URL(database.url);
  empty.pathname += '_empty';
  const name = empty.pathname.slice(1);
  await database.sql`create database ${database.sql(name)}`;
  try {
    const done = run(['dist/db/migrate-main.js'], { DATABASE_URL: empty.href });
    expect(done.status, done.stderr).toBe(0);
  } finally {
    await database.sql`drop database ${database.sql(name)} with (force)`;
  }
});

test('the built server answers, without TypeScript', async () => {
  await start(['dist/server.js'], answersOk(`http://127.0.0.1:${port}/readyz`));

  const reply = await fetch(`http://127.0.0.1:${port}/api/v1/integrations`, {
    headers: { authorization: `Bearer ${adminKey}` },
  });

  expect(reply.status).toBe(200);
});

test('the built worker polls, with the workflow bundle beside it', async () => {
  const connection = await Connection.connect({ address: temporal.address });
  const polls = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      const { pollers } = await connection.workflowService.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name: taskQueue },
      });
      if (pollers.length > 0) return;
      await sleep(200);
    }
  };

  expect(run(['dist/worker-health.js'], environment()).status).toBe(1);

  await start(['dist/worker.js'], polls);

  const health = run(['dist/worker-health.js'], environment());
  expect(health.status, health.stderr).toBe(0);
  await connection.close();
});

test('the built simulator answers', async () => {
  const own = await portFinder([])(21_000 + Math.floor(Math.random() * 30_000));

  await start(
    ['dist/simulator/main.js', '--port', String(own)],
    answersOk(`http://127.0.0.1:${own}/healthz`),
  );
});

test.each(['server', 'worker'])('a built %s without configuration says what it lacks', (name) => {
  const done = run([`dist/${name}.js`], {});

  expect(done.status).toBe(1);
  for (const variable of ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'ENCRYPTION_KEY'])
    expect(done.stderr).toContain(`${variable} is not set`);
});

function environment(): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporal.address,
    ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    ADMIN_API_KEY: adminKey,
  };
}

function run(args: string[], env: Record<string, string>) {
  const options = { cwd: root, encoding: 'utf8' as const, timeout: 60_000 };
  return spawnSync(process.execPath, args, {
    ...options,
    env: { PATH: process.env['PATH'], ...env },
  });
}

async function start(args: string[], ready: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const lines: string[] = [];
  const child = spawnChild({
    args,
    cwd: root,
    env: environment(),
    ready,
    startSeconds: 60,
    graceSeconds: 30,
    onLine: (line) => lines.push(line),
  });
  children.push(child);
  await child.ready.catch((error: unknown) => {
    throw new Error(`${args.join(' ')}: ${(error as Error).message}\n${lines.join('\n')}`);
  });
}
