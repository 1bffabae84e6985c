import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createActivities } from './activities/index.ts';
import { createAdeClient } from './apple/ade/client.ts';
import { ConfigError, loadConfig, type Config } from './config.ts';
import { createDatabase } from './db/client.ts';
import { migrate } from './db/migrate.ts';
import { createSealer } from './db/sealing.ts';
import { createStores } from './db/stores/index.ts';
import { AppleCallCounter } from './domain/apple-calls.ts';
import { DomainError } from './domain/errors.ts';
import { createLogger, type Logger } from './logger.ts';
import { temporalConnectionOptions } from './temporal-connection.ts';
import { temporalLogger } from './temporal-logger.ts';
import { ensureSearchAttributes, ensureWatchdog } from './temporal-setup.ts';
import { syncStartOptions, syncWorkflowType, taskQueue } from './workflows/contract.ts';

/** The Temporal process: what is connected to what. */

const now = () => new Date();
const flushEveryMs = 10_000;
const retryMs = 2_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger({ name: 'worker', level: config.LOG_LEVEL });
  // The signals are ours, so that one counts also while we wait for the others to come up.
  Runtime.install({ logger: temporalLogger(logger), shutdownSignals: [] });
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      stopping.abort();
    });
  const persist = <T>(what: string, work: () => Promise<T>) =>
    untilItWorks(what, work, logger, stopping.signal);

  await persist('PostgreSQL', () => migrate(config.DATABASE_URL));
  const connection = await persist('Temporal', () => connectTemporal(config));
  const database = createDatabase(config.DATABASE_URL, {
    max: config.DATABASE_POOL_SIZE,
    applicationName: 'guardmdm-abm-worker',
  });
  const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
  const sealer = createSealer(config.ENCRYPTION_KEY, config.ENCRYPTION_KEYS_OLD);
  const { integrations, sync, adeSessions, appleCalls } = createStores(database, { sealer, now });
  const calls = new AppleCallCounter();

  const worker = await Worker.create({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue,
    ...workflowCode(),
    activities: createActivities({
      sync,
      integrations,
      startLoop: async (id) => {
        await client.workflow.start(syncWorkflowType, syncStartOptions(id));
      },
      ade: (integrationId) =>
        createAdeClient({
          integrationId,
          baseUrl: config.APPLE_ADE_URL,
          userAgent: config.APPLE_USER_AGENT,
          credentials: async () => {
            const token = await integrations.findToken(integrationId);
            if (token === null)
              throw new DomainError('awaiting_token', 'There is no server token.');
            return token;
          },
          sessions: adeSessions,
          now,
          onCall: (call) => {
            calls.count(call);
          },
        }),
      now,
      random: Math.random,
      logger,
    }),
    // Each slice may hold a connection; a waiting one would count against its time.
    maxConcurrentActivityTaskExecutions: config.DATABASE_POOL_SIZE,
    // A killed worker repeats the pages since its last heartbeat that got through.
    maxHeartbeatThrottleInterval: '5 seconds',
    defaultHeartbeatThrottleInterval: '5 seconds',
    shutdownForceTime: '30 seconds',
  });
  const flush = async () => {
    const tallies = calls.drain();
    await appleCalls.add(tallies, now()).catch(() => {
      calls.restore(tallies);
    });
  };
  const flushing = setInterval(() => void flush(), flushEveryMs);
  const stop = () => {
    logger.info('stopping: running walks end between two pages');
    worker.shutdown();
  };

  const running = worker.run();
  if (stopping.signal.aborted) stop();
  else stopping.signal.addEventListener('abort', stop);
  logger.info({ taskQueue }, 'working');
  persist('the watchdog', () => ensureWatchdog(client)).catch((error: unknown) => {
    if (!stopping.signal.aborted) logger.error({ err: error }, 'the watchdog is not set up');
  });
  try {
    await running;
  } finally {
    clearInterval(flushing);
    await flush();
    await Promise.allSettled([connection.close(), database.close()]);
    logger.info('stopped');
  }
}

async function connectTemporal(config: Config): Promise<NativeConnection> {
  const connection = await NativeConnection.connect(temporalConnectionOptions(config));
  try {
    const { TEMPORAL_NAMESPACE: namespace } = config;
    await connection.workflowService.describeNamespace({ namespace });
    await ensureSearchAttributes({ connection }, namespace);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The bundle that the build left beside us, or the sources. */
function workflowCode() {
  const codePath = fileURLToPath(new URL('./workflow-bundle.js', import.meta.url));
  const workflowsPath = fileURLToPath(new URL('./workflows/index.ts', import.meta.url));
  return existsSync(codePath) ? { workflowBundle: { codePath } } : { workflowsPath };
}

/** The others may come up later than we: waits for them and says so, once for each reason. */
async function untilItWorks<T>(
  what: string,
  work: () => Promise<T>,
  logger: Logger,
  signal: AbortSignal,
): Promise<T> {
  for (let said = ''; ;) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== said)
        logger.warn({ err: error }, `${what} is not ready; trying again every ${retryMs / 1000} s`);
      said = reason;
      await sleep(retryMs, undefined, { signal });
    }
  }
}

try {
  await main();
  process.exit(0);
} catch (error) {
  if (error instanceof Error && error.name === 'AbortError') process.exit(0);
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}
