import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { migrate } from '../db/migrate.ts';
import type { Parts } from './parts.ts';
import { portFinder } from './ports.ts';
import { postgresDir, requireTemporal, type Environment, type Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import type { PartSpec, Supervisor } from './supervisor.ts';

export interface Running {
  /** Null where a person brought their own. */
  temporalUi: string | null;
  simulatorUrl: string | null;
}

interface Tools {
  settings: Settings;
  supervisor: Supervisor;
  parts: Parts;
  say: (name: string, text: string) => void;
}

/** Starts what is embedded, brings the database up to date, then starts server and worker. */
export async function bringUp(tools: Tools): Promise<Running> {
  const { settings, parts, say } = tools;
  const findPort = portFinder([settings.port]);
  const ports = {
    postgres: await findPort(5433),
    temporal: await findPort(7233),
    temporalUi: await findPort(8233),
    simulator: await findPort(8090),
  };

  say('start', 'Starting what server and worker need.');
  const [databaseUrl, temporal, simulatorUrl] = await Promise.all([
    database(tools, ports.postgres),
    temporalServer(tools, ports.temporal, ports.temporalUi),
    apple(tools, ports.simulator),
  ]);

  const env: Environment = {
    ...settings.env,
    ...temporal.env,
    DATABASE_URL: databaseUrl,
    APPLE_ADE_URL: settings.appleUrl ?? simulatorUrl ?? undefined,
  };
  say('start', 'Starting server and worker.');
  await Promise.all([
    start(tools, parts.worker({ env })),
    start(tools, parts.server({ env, url: settings.baseUrl })),
  ]);
  return { temporalUi: temporal.uiUrl, simulatorUrl };
}

async function database(tools: Tools, port: number): Promise<string> {
  const { settings, parts, say } = tools;
  if (settings.databaseUrl !== null) {
    await migrate(settings.databaseUrl);
    say('postgres', 'DATABASE_URL is used and up to date.');
    return settings.databaseUrl;
  }
  const { dir, moved } = postgresDir(settings.dataDir);
  if (moved) {
    say('postgres', `PostgreSQL does not run as root and cannot enter ${settings.dataDir}.`);
    say('postgres', `Its files go to ${dir} instead.`);
    mkdirSync(path.dirname(dir), { recursive: true, mode: 0o755 });
  }
  const { url } = (await start(tools, parts.postgres({ dir, port }))) as { url: string };
  await migrate(url);
  say('postgres', `ready on port ${port}`);
  return url;
}

async function temporalServer(
  tools: Tools,
  port: number,
  uiPort: number,
): Promise<{ env: Environment; uiUrl: string | null }> {
  const { settings, parts, say } = tools;
  if (settings.temporalAddress !== null) {
    await requireTemporal(settings.temporalAddress);
    say('temporal', `${settings.temporalAddress} is used.`);
    return { env: {}, uiUrl: null };
  }
  const dbFile = path.join(settings.dataDir, 'temporal', 'temporal.db');
  const ready = await start(tools, parts.temporal({ dbFile, port, uiPort }));
  const { address, uiUrl } = ready as { address: string; uiUrl: string };
  say('temporal', `ready on port ${port}`);
  // Settings for somebody else's Temporal would keep us out of our own.
  const env: Environment = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_API_KEY: undefined,
    TEMPORAL_TLS: undefined,
    TEMPORAL_TLS_CERT_FILE: undefined,
    TEMPORAL_TLS_KEY_FILE: undefined,
    TEMPORAL_TLS_CA_FILE: undefined,
    TEMPORAL_TLS_SERVER_NAME: undefined,
  };
  return { env, uiUrl };
}

async function apple(tools: Tools, port: number): Promise<string | null> {
  const { settings, parts, say } = tools;
  if (settings.appleUrl !== null) {
    say('apple', `${settings.appleUrl} is used: no simulator, no demo.`);
    return null;
  }
  const stateFile = path.join(settings.dataDir, 'simulator.json');
  await start(tools, parts.simulator({ stateFile, port }));
  say('simulator', `ready on port ${port}`);
  return `http://localhost:${port}`;
}

async function start({ supervisor, parts }: Tools, spec: PartSpec): Promise<unknown> {
  try {
    return await supervisor.start(spec);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    const remedy = error.remedy === '' ? parts.lastWords(spec.name) : error.remedy;
    throw new StartError(`${spec.name} did not start: ${error.message}`, remedy, { cause: error });
  }
}
