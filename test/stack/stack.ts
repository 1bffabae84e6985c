import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnChild, type Child } from '../../dev/child.ts';
import { portFinder } from '../../dev/ports.ts';
import { startPostgres, type EmbeddedPostgres } from '../../dev/postgres.ts';
import { answersOk } from '../../dev/readiness.ts';
import { startTemporal, type LocalTemporal } from '../../dev/temporal.ts';
import { createApi, type Api } from './api-client.ts';
import { createApple, type Apple } from './apple-client.ts';

/** Everything of the product as its own processes, and Apple's side as another. */
export interface Stack {
  api: Api;
  apple: Apple;
  databaseUrl: string;
  /** What ENCRYPTION_KEY is, for a test that looks into the database. */
  encryptionKey: string;
  temporalAddress: string;
  /** Every line that any of our processes has printed. */
  logs: string[];
  pid(part: Part): number;
  /** SIGKILL: resolves when the process is gone. */
  kill(part: Part): Promise<void>;
  /** Starts a part that was killed, where it was before. */
  start(part: Part): Promise<void>;
  stop(): Promise<void>;
}

export type Part = 'postgres' | 'temporal' | 'simulator' | 'server' | 'worker';

export interface StackOptions {
  devices?: number;
  seed?: number;
  /** More arguments of the simulator. */
  simulator?: readonly string[];
  /** For a stack that is measured: PostgreSQL as an operator would run it. */
  durable?: boolean;
  /** More settings of PostgreSQL, and where its log goes. */
  postgres?: { settings?: Record<string, string>; onLog?: (chunk: string) => void };
  logLevel?: string;
  /** Runs server and worker as `npm run build` has left them in `dist/`. */
  built?: boolean;
}

const root = path.resolve(import.meta.dirname, '../..');
const quick = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** Starts all parts on free ports of 127.0.0.1, in a directory of their own. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const { devices = 250, seed = 7, durable = false, built = false, logLevel = 'debug' } = options;
  const scratch = await mkdtemp(path.join(tmpdir(), 'guardmdm-stack-'));
  await chmod(scratch, 0o755);
  const findPort = portFinder([]);
  const port = () => findPort(20_000 + Math.floor(Math.random() * 35_000));
  const ports = {
    postgres: await port(),
    temporal: await port(),
    simulator: await port(),
    server: await port(),
  };
  const simulatorUrl = `http://127.0.0.1:${ports.simulator}`;
  const serverUrl = `http://127.0.0.1:${ports.server}`;
  const adminKey = `gmk_${randomBytes(24).toString('hex')}`;
  const logs: string[] = [];
  const children = new Map<Part, Child>();
  let postgres: EmbeddedPostgres | null = null;
  let temporal: LocalTemporal | null = null;
  // From the sources, the parts end with us also when the runner is killed.
  const source = (file: string) => [
    ...['--import', 'tsx'],
    ...[path.join(root, 'dev/follow-parent.ts'), path.join(root, file)],
  ];
  const program = (name: 'server' | 'worker') =>
    built ? ['--max-semi-space-size=4', path.join(root, `dist/${name}.js`)] : source(`${name}.ts`);
  const encryptionKey = randomBytes(32).toString('base64');

  async function startChild(
    part: Part,
    args: string[],
    ready: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const child = spawnChild({
      args,
      cwd: root,
      env: {
        ...process.env,
        PORT: String(ports.server),
        HOST: '127.0.0.1',
        DATABASE_URL: postgres?.url,
        TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
        APPLE_ADE_URL: simulatorUrl,
        ENCRYPTION_KEY: encryptionKey,
        ADMIN_API_KEY: adminKey,
        LOG_LEVEL: logLevel,
      },
      ready,
      startSeconds: 90,
      graceSeconds: 30,
      onLine: (line) => {
        logs.push(`${part} ${line}`);
      },
    });
    children.set(part, child);
    await child.ready;
  }

  const startPart: Record<Part, () => Promise<void>> = {
    postgres: async () => {
      postgres = await startPostgres({
        dataDir: path.join(scratch, 'postgres'),
        port: ports.postgres,
        ...options.postgres,
        settings: { ...(durable ? {} : quick), ...options.postgres?.settings },
      });
    },
    temporal: async () => {
      temporal = await startTemporal({
        dbFile: path.join(scratch, 'temporal.db'),
        port: ports.temporal,
        uiPort: null,
      });
    },
    simulator: () =>
      startChild(
        'simulator',
        [
          ...source('simulator/main.ts'),
          ...['--port', String(ports.simulator), '--devices', String(devices)],
          ...['--seed', String(seed), '--state', path.join(scratch, 'world.json')],
          ...(options.simulator ?? []),
        ],
        answersOk(`${simulatorUrl}/healthz`),
      ),
    server: () => startChild('server', program('server'), answersOk(`${serverUrl}/readyz`)),
    worker: () => startChild('worker', program('worker'), () => Promise.resolve()),
  };

  function pidOf(part: Part): number {
    const pid =
      part === 'postgres'
        ? postgres?.pid
        : part === 'temporal'
          ? temporal?.pid
          : children.get(part)?.pid;
    if (pid === undefined) throw new Error(`${part} has not been started`);
    return pid;
  }

  async function stop(): Promise<void> {
    await Promise.all([...children.values()].map((child) => child.stop()));
    await temporal?.stop();
    await postgres?.stop();
    await rm(scratch, { recursive: true, force: true });
  }

  try {
    await Promise.all([startPart.postgres(), startPart.temporal(), startPart.simulator()]);
    await Promise.all([startPart.server(), startPart.worker()]);
  } catch (error) {
    await stop();
    throw new Error(`the stack did not start:\n${logs.slice(-30).join('\n')}`, { cause: error });
  }

  return {
    api: createApi(serverUrl, adminKey),
    apple: createApple(simulatorUrl),
    get databaseUrl() {
      return postgres?.url ?? '';
    },
    encryptionKey,
    temporalAddress: `127.0.0.1:${ports.temporal}`,
    logs,
    pid: pidOf,
    start: (part) => startPart[part](),
    stop,
    kill: async (part) => {
      const pid = pidOf(part);
      process.kill(pid, 'SIGKILL');
      await untilGone(pid);
    },
  };
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
