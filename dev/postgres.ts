import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createDatabaseIfMissing } from '../db/create-database.ts';
import { leashTo, type Leash } from './leash.ts';
import { freePort } from './ports.ts';
import { binariesFor, serverAccount, type Account, type Binaries } from './postgres-binaries.ts';

export interface EmbeddedPostgres {
  /** Connection URL of the database `guardmdm`, owned by a superuser, on 127.0.0.1. */
  url: string;
  pid: number;
  /** Ends every connection, flushes, and waits until the process is gone. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL on a directory, which is made on the first start. It runs in a process
 * group of its own, so that Ctrl-C does not take it away from those who still write; a leash ends it
 * when this process dies without `stop()`. A server that a crash left on the directory is ended first.
 */
export async function startPostgres(options: {
  dataDir: string;
  /** 0 or none: a free one. */
  port?: number;
  settings?: Record<string, string>;
  onLog?: (line: string) => void;
}): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const account = serverAccount();
  const binaries = await binariesFor(account);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (account.uid !== undefined) {
    await chown(dataDir, account.uid, account.gid ?? account.uid);
    requireReach(dataDir, account);
  }
  const passwordFile = join(dataDir, 'superuser-password');
  if ((await readOrNull(join(dataDir, 'PG_VERSION'))) === null)
    await initialize(binaries, account, dataDir, passwordFile);
  else await endLeftover(binaries, account, dataDir);

  const password = (await readFile(passwordFile, 'utf8')).trim();
  const wanted = options.port ?? 0;
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted === 0 ? await freePort() : wanted;
    try {
      const { server, leash } = await launch(binaries, account, dataDir, port, options);
      const url = `postgres://postgres:${password}@127.0.0.1:${port}/guardmdm`;
      const stop = () => stopServer(server, leash);
      await createDatabaseIfMissing(url).catch(async (error: unknown) => {
        await stop();
        throw error;
      });
      return { url, pid: server.pid ?? 0, stop };
    } catch (error) {
      // Between finding a free port and using it another process may have taken it.
      const taken = error instanceof Error && error.message.includes('Address already in use');
      if (!taken || wanted !== 0 || attempt === 3) throw error;
    }
  }
}

async function initialize(
  binaries: Binaries,
  account: Account,
  dataDir: string,
  passwordFile: string,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'guardmdm-initdb-'));
  const secret = join(scratch, 'password');
  const password = randomBytes(18).toString('hex');
  try {
    await writeFile(secret, password, { mode: 0o600 });
    if (account.uid !== undefined)
      for (const path of [scratch, secret]) await chown(path, account.uid, account.gid ?? 0);
    const run = spawnSync(
      binaries.initdb,
      [
        `--pgdata=${dataDir}`,
        '--username=postgres',
        '--auth=scram-sha-256',
        `--pwfile=${secret}`,
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
      ],
      { ...account, encoding: 'utf8' },
    );
    if (run.status !== 0)
      throw new Error(
        `PostgreSQL could not make its data directory ${dataDir}:\n` +
          (run.error?.message ?? run.stderr).trim(),
      );
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (account.uid !== undefined) await chown(passwordFile, account.uid, account.gid ?? 0);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** `pg_ctl` knows by the directory's own lock file whether the process is really this server. */
async function endLeftover(binaries: Binaries, account: Account, dataDir: string): Promise<void> {
  if ((await readOrNull(join(dataDir, 'postmaster.pid'))) === null) return;
  spawnSync(binaries.pgCtl, ['stop', '-D', dataDir, '-m', 'fast', '-w', '-t', '30'], account);
}

async function launch(
  binaries: Binaries,
  account: Account,
  dataDir: string,
  port: number,
  options: { settings?: Record<string, string>; onLog?: (line: string) => void },
): Promise<{ server: ChildProcess; leash: Leash }> {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    lc_messages: 'C',
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(binaries.postgres, ['-D', dataDir, '-p', String(port), ...flags], {
    ...account,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lines: string[] = [];
  await new Promise<void>((ready, failed) => {
    const fail = (reason: string) => {
      failed(new Error(`PostgreSQL did not start on ${dataDir}: ${reason}\n${lines.join('')}`));
    };
    server.once('error', (error) => {
      fail(error.message);
    });
    server.once('exit', (code) => {
      fail(`it ended with code ${String(code)}`);
    });
    server.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      options.onLog?.(chunk.trimEnd());
      if (lines.length < 50) lines.push(chunk);
      if (chunk.includes('ready to accept connections')) ready();
    });
  });
  // The pipe must not keep our process alive; only whoever holds the server decides that.
  server.unref();
  if (server.stderr instanceof Socket) server.stderr.unref();
  return { server, leash: leashTo(server.pid ?? 0, 'INT') };
}

async function stopServer(server: ChildProcess, leash: Leash): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const gone = new Promise<void>((done) =>
      server.once('exit', () => {
        done();
      }),
    );
    server.ref();
    server.kill('SIGINT'); // fast shutdown: https://www.postgresql.org/docs/current/server-shutdown.html
    await gone;
  }
  leash.letGo();
}

function requireReach(dataDir: string, account: Account): void {
  const probe = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'probe', dataDir], account);
  if (probe.status === 0) return;
  throw new Error(
    `PostgreSQL does not run as root, and the account that it runs under (uid ${String(account.uid)}) ` +
      `cannot enter ${dataDir}. Set DATA_DIR to a directory that every account can reach, such as ` +
      '/var/lib/guardmdm-abm, or start as another user than root, or set DATABASE_URL.',
  );
}

async function readOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null);
}
