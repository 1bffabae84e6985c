import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { hashApiKey } from './api/api-key-secret.ts';
import { createApp } from './api/app.ts';
import { listen, ListenError } from './api/listen.ts';
import { isDatabaseOutage } from './api/outage.ts';
import { createSyncControl } from './api/temporal.ts';
import { createTokenProbe } from './apple/ade/probe.ts';
import { createTokenKey } from './apple/token/keypair.ts';
import { openServerToken } from './apple/token/open-server-token.ts';
import { ConfigError, loadConfig, type Config } from './config.ts';
import { createDatabase, ping } from './db/client.ts';
import { migrate } from './db/migrate.ts';
import { createSealer } from './db/sealing.ts';
import { createApiKeyStore } from './db/stores/api-keys.ts';
import { createAppleCallStore } from './db/stores/apple-calls.ts';
import { createAuditStore } from './db/stores/audit.ts';
import { createDeviceStore } from './db/stores/devices.ts';
import { createIdempotencyStore } from './db/stores/idempotency.ts';
import { createIntegrationStore } from './db/stores/integrations.ts';
import { createSyncRunStore } from './db/stores/sync-runs.ts';
import { activateToken } from './domain/activate-token.ts';
import { AppleCallCounter } from './domain/apple-calls.ts';
import { DomainError } from './domain/errors.ts';
import { createLogger, type Logger } from './logger.ts';
import { temporalConnectionOptions } from './temporal-connection.ts';

/** The HTTP process: what is connected to what. */

const now = () => new Date();
const flushEveryMs = 10_000;
const graceMs = 10_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const logger = createLogger({ name: 'server', level: config.LOG_LEVEL });
  const stopping = new AbortController();

  const database = createDatabase(config.DATABASE_URL, {
    max: config.DATABASE_POOL_SIZE,
    applicationName: 'guardmdm-abm-server',
  });
  const connection = Connection.lazy(temporalConnectionOptions(config));
  const client = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
  const sealer = createSealer(config.ENCRYPTION_KEY, config.ENCRYPTION_KEYS_OLD);
  const integrations = createIntegrationStore({ ...database, sealer, now });
  const apiKeys = createApiKeyStore({ ...database, now });
  const appleCalls = createAppleCallStore(database);
  const calls = new AppleCallCounter();
  const probe = createTokenProbe({
    baseUrl: config.APPLE_ADE_URL,
    userAgent: config.APPLE_USER_AGENT,
    now,
    // Somebody is waiting for the answer to an upload.
    timeouts: { headersSeconds: 15, idleSeconds: 10, wholeSeconds: 30 },
    onCall: (call) => {
      calls.count(call);
    },
  });
  let isPrepared = false;

  const app = createApp({
    integrations,
    syncRuns: createSyncRunStore(database),
    devices: createDeviceStore(database),
    audit: createAuditStore(database),
    apiKeys,
    idempotency: createIdempotencyStore(database),
    appleCalls,
    sync: createSyncControl(client, stopping.signal),
    activateToken: (input, actor) =>
      activateToken({ integrations, openToken: openServerToken, probe, now }, input, actor),
    newTokenKey: ({ name }) => createTokenKey({ name, now: now() }),
    pingDatabase: async () => {
      if (!isPrepared) throw new DomainError('database_unavailable', 'It is not set up yet.');
      await ping(database);
    },
    logger,
    now,
    stopping: stopping.signal,
  });
  // Handlers in place before the door opens: whoever is told to stop must not die half-way.
  const toldToStop = new Promise<string>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  const door = await listen(app.fetch, { port: config.PORT, host: config.HOST });
  logger.info({ port: door.port, host: config.HOST }, 'listening');

  void toldToStop.then(() => {
    stopping.abort();
  });
  isPrepared = await prepareDatabase(config, apiKeys, logger, stopping.signal);
  if (isPrepared) logger.info('the database is set up');

  const flush = async () => {
    const tallies = calls.drain();
    await appleCalls.add(tallies, now()).catch(() => {
      calls.restore(tallies);
    });
  };
  const flushing = setInterval(() => void flush(), flushEveryMs);

  const signal = await toldToStop;
  logger.info({ signal }, 'stopping: running requests may end');
  clearInterval(flushing);
  await door.close(graceMs);
  await flush();
  await Promise.allSettled([database.close(), connection.close()]);
  logger.info('stopped');
}

/** Brings schema and first key about, for as long as it takes the database to come. */
async function prepareDatabase(
  config: Config,
  apiKeys: ReturnType<typeof createApiKeyStore>,
  logger: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  let said = '';
  while (!signal.aborted) {
    try {
      await migrate(config.DATABASE_URL);
      if (config.ADMIN_API_KEY !== undefined)
        await apiKeys.ensure({
          name: 'first admin key',
          role: 'admin',
          secretHash: hashApiKey(config.ADMIN_API_KEY),
        });
      return true;
    } catch (error) {
      const why = whyAway(error);
      if (why === null) throw error;
      if (why !== said) logger.warn(`${why} Trying again every 2 seconds.`);
      said = why;
      await sleep(2000, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

/** In words of ours: a driver's message may quote what it was given. Null: it is not an outage. */
function whyAway(error: unknown): string | null {
  if (error instanceof DomainError)
    return error.code === 'database_unavailable' ? error.message : null;
  return isDatabaseOutage(error) ? 'The database went away while it was being set up.' : null;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  const isExplained = error instanceof ConfigError || error instanceof ListenError;
  console.error(isExplained ? error.message : error);
  process.exit(1);
}
