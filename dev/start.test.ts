import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
let dir: string;
let dataDir: string;
const started: Start[] = [];
const listening: Server[] = [];

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'start-'));
  chmodSync(dir, 0o755);
  dataDir = path.join(dir, 'data');
});

afterEach(async () => {
  for (const start of started.splice(0)) start.process.kill('SIGTERM');
  for (const server of listening.splice(0)) server.close();
  await until(() => processesOf(dataDir).length === 0);
  rmSync(dir, { recursive: true });
});

test('a port in use is named, with who uses it and how to choose another', async () => {
  const port = await occupy();

  const start = run({ PORT: String(port) });

  expect(await start.exitCode).toBe(1);
  expect(start.output()).toContain(`Port ${port} is in use`);
  expect(start.output()).toContain(`PORT=${port + 1} npm start`);
  if (process.platform === 'linux') expect(start.output()).toContain(`process ${process.pid}`);
});

test.each([
  [{ DATABASE_URL: 'postgres://a:secret-word@127.0.0.1:1/b' }, 'DATABASE_URL'],
  [{ TEMPORAL_ADDRESS: '127.0.0.1:1' }, 'Nothing answers at TEMPORAL_ADDRESS 127.0.0.1:1'],
  [{ DATABASE_URL: 'mysql://a@b/c' }, 'DATABASE_URL'],
  [{ ENCRYPTION_KEY: 'too-short' }, 'openssl rand -base64 32'],
  [{ ADMIN_API_KEY: 'short' }, 'ADMIN_API_KEY: must have at least 20 characters'],
  [{ PORT: 'http' }, 'PORT'],
])('what cannot be used says what to do: %o', async (wrong, message) => {
  const start = run({ PORT: await freePort(), ...wrong });

  expect(await start.exitCode).toBe(1);
  expect(start.output()).toContain(message);
  expect(start.output()).not.toContain('secret-word');
  expect(start.output()).not.toMatch(/^\s+at .+:\d+:\d+\)$/m);
  expect(processesOf(dataDir)).toEqual([]);
});

test('a data directory that cannot be made says so', async () => {
  writeFileSync(path.join(dir, 'file'), '');
  dataDir = path.join(dir, 'file', 'data');

  const start = run({ PORT: await freePort() });

  expect(await start.exitCode).toBe(1);
  expect(start.output()).toContain(`The data directory ${dataDir} cannot be written to`);
});

test('the whole thing starts, shows the demo, refuses a twin, and leaves nothing behind', async () => {
  const port = await freePort();
  const first = run({ PORT: port });
  await first.says('is ready');

  expect(first.output()).toMatch(/full sync succeeded: [1-9]\d* added/);
  expect(first.output()).toMatch(/delta sync succeeded: 5 added/);
  expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  for (const secret of ['admin-key', 'encryption-key']) {
    expect(statSync(path.join(dataDir, secret)).mode & 0o777).toBe(0o600);
  }

  const twin = run({ PORT: await freePort() });
  expect(await twin.exitCode).toBe(1);
  expect(twin.output()).toContain(`already runs with the data in ${dataDir}`);

  first.process.kill('SIGINT');
  expect(await first.exitCode).toBe(0);
  expect(processesOf(dataDir)).toEqual([]);

  const second = run({ PORT: port });
  await second.says('is ready');
  expect(second.output()).toContain('connected from an earlier start');
  expect(second.output()).toMatch(/delta sync succeeded: 0 added/);

  second.process.kill('SIGKILL');
  await second.exitCode;
  await until(() => processesOf(dataDir).length === 0);
}, 300_000);

test.each([2, 5, 8])(
  'an interruption after %i processes leaves none behind',
  async (count) => {
    const start = run({ PORT: await freePort() });
    await start.says('Starting what server and worker need');
    await until(() => processesOf(dataDir).length >= count);

    start.process.kill('SIGTERM');

    expect(await start.exitCode).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);
  },
  120_000,
);

interface Start {
  process: ChildProcess;
  exitCode: Promise<number | null>;
  output(): string;
  says(text: string): Promise<void>;
}

function run(env: Record<string, string>): Start {
  const child = spawn(process.execPath, ['--import', 'tsx', 'dev/start.ts'], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], DATA_DIR: dataDir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  let ended = false;
  const exitCode = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      ended = true;
      resolve(code);
    });
  });
  const start: Start = {
    process: child,
    exitCode,
    output: () => output,
    says: async (text) => {
      await until(() => output.includes(text) || ended);
      expect(output).toContain(text);
    },
  };
  started.push(start);
  return start;
}

/** Everything that was started for a data directory inherits its name. */
function processesOf(directory: string): string[] {
  const mark = `DATA_DIR=${directory}`;
  if (process.platform !== 'linux') {
    const listed = execFileSync('ps', ['-axEww', '-o', 'pid=,command='], { encoding: 'utf8' });
    return listed.split('\n').filter((line) => line.includes(`${mark} `));
  }
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark);
    } catch {
      return false; // no process, or another user's
    }
  });
}

async function occupy(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  listening.push(server);
  await until(() => server.listening);
  return (server.address() as { port: number }).port;
}

async function freePort(): Promise<string> {
  const port = await occupy();
  await new Promise((resolve) => listening.pop()?.close(resolve));
  return String(port);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(50);
}
