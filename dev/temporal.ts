import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { searchAttributes } from '../workflows/contract.ts';
import { leashTo, type Leash } from './leash.ts';
import { freePort } from './ports.ts';
import { StartError } from './start-error.ts';
import { findTemporalCli, type FindOptions } from './temporal-binaries.ts';

export { findTemporalCli, findTestServer } from './temporal-binaries.ts';

export interface LocalTemporal {
  /** host:port of the frontend. */
  address: string;
  /** Null without a UI. */
  uiUrl: string | null;
  pid: number;
  stop(): Promise<void>;
}

export interface LocalTemporalOptions extends FindOptions {
  /** Keeps its state there; otherwise it forgets everything at its end. */
  dbFile?: string;
  /** 0 or none: a free one. */
  port?: number;
  /** 0 or none: a free one; null: no UI. */
  uiPort?: number | null;
  onLog?: (line: string) => void;
}

const startSeconds = 60;

/**
 * Starts Temporal's dev server on 127.0.0.1 with our search attributes and waits until it serves. It
 * runs in a process group of its own, so that Ctrl-C does not take it away from those who still use
 * it; a leash ends it when this process dies without `stop()`.
 */
export async function startTemporal(options: LocalTemporalOptions = {}): Promise<LocalTemporal> {
  const binary = await findTemporalCli(options);
  if (options.dbFile !== undefined) mkdirSync(path.dirname(options.dbFile), { recursive: true });
  const wanted = {
    port: options.port ?? 0,
    uiPort: options.uiPort === undefined ? 0 : options.uiPort,
  };
  for (let attempt = 1; ; attempt += 1) {
    const port = wanted.port === 0 ? await freePort() : wanted.port;
    const uiPort = wanted.uiPort === 0 ? await freePort() : wanted.uiPort;
    try {
      return await launch(binary, port, uiPort, options);
    } catch (error) {
      // Between finding a free port and using it another process may have taken it.
      const taken = error instanceof Error && error.message.includes('address already in use');
      if (!taken || (wanted.port !== 0 && wanted.uiPort !== 0) || attempt === 3) throw error;
    }
  }
}

async function launch(
  binary: string,
  port: number,
  uiPort: number | null,
  { dbFile, onLog }: LocalTemporalOptions,
): Promise<LocalTemporal> {
  const args = [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
    ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
    ...Object.values(searchAttributes).flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ...['--log-level', 'warn', '--log-format', 'json'],
  ];
  const server = spawn(binary, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const told: string[] = [];
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      onLog?.(chunk.trimEnd());
      if (told.length < 50) told.push(chunk);
    });
    if (stream instanceof Socket) stream.unref();
  }
  server.unref();
  const leash = leashTo(server.pid ?? 0, 'TERM');
  const stop = () => stopServer(server, leash);
  const address = `127.0.0.1:${port}`;
  try {
    await serves(server, address);
  } catch (error) {
    await stop();
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `Temporal did not start: ${reason}\n${told.join('').trim()}`,
      'Free the port, or set TEMPORAL_ADDRESS to a Temporal that runs already.',
    );
  }
  const uiUrl = uiPort === null ? null : `http://127.0.0.1:${uiPort}`;
  return { address, uiUrl, pid: server.pid ?? 0, stop };
}

/** Serving means that the namespace is there and that a search attribute would be accepted. */
async function serves(server: ChildProcess, address: string): Promise<void> {
  const until = Date.now() + startSeconds * 1000;
  const ended = new Promise<never>((_, failed) => {
    server.once('error', failed);
    server.once('exit', (code, signal) => {
      failed(new Error(`it ended with ${signal ?? `code ${code ?? 'unknown'}`}`));
    });
  });
  ended.catch(() => undefined);
  while (!(await Promise.race([ended, answers(address)]))) {
    if (Date.now() > until) throw new Error(`it did not serve within ${startSeconds} s`);
    await Promise.race([ended, sleep(100)]);
  }
}

async function answers(address: string): Promise<boolean> {
  const connection = Connection.lazy({ address });
  try {
    return await connection.withDeadline(Date.now() + 2_000, async () => {
      await connection.workflowService.describeNamespace({ namespace: 'default' });
      const { customAttributes } = await connection.operatorService.listSearchAttributes({
        namespace: 'default',
      });
      return Object.values(searchAttributes).every((name) => name in customAttributes);
    });
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

async function stopServer(server: ChildProcess, leash: Leash): Promise<void> {
  if (server.pid !== undefined && server.exitCode === null && server.signalCode === null) {
    const gone = new Promise<void>((done) => {
      server.once('exit', () => {
        done();
      });
    });
    server.ref();
    server.kill('SIGTERM');
    const impatient = setTimeout(() => server.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(impatient);
  }
  leash.letGo();
}
