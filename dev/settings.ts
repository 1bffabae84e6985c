import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { loadConfig } from '../config.ts';
import { isFree, portOwner, refusal } from './ports.ts';
import { keptSecret, newAdminKey, newEncryptionKey } from './secrets.ts';
import { StartError } from './start-error.ts';

export type Environment = Record<string, string | undefined>;

/** What a person has set, and what the embedded mode makes up for the rest. */
export interface Settings {
  dataDir: string;
  port: number;
  /** Where this machine reaches the server. */
  baseUrl: string;
  adminKey: string;
  /** Null: embedded. */
  databaseUrl: string | null;
  temporalAddress: string | null;
  appleUrl: string | null;
  /** For server and worker, without what is known only once the embedded parts run. */
  env: Environment;
}

/** Empty variables count as unset, as everywhere. */
export function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

export function dataDirOf(env: Environment): string {
  return path.resolve(isSet(env['DATA_DIR']) ? env['DATA_DIR'] : '.data');
}

/** Makes the secrets that are not set. Throws `ConfigError` for every variable that cannot be used. */
export function readSettings(env: Environment): Settings {
  const dataDir = dataDirOf(env);
  const given = (name: string) => (isSet(env[name]) ? env[name] : null);
  const made = {
    HOST: given('HOST') ?? '127.0.0.1',
    PORT: given('PORT') ?? '8080',
    ENCRYPTION_KEY:
      given('ENCRYPTION_KEY') ?? keptSecret(dataDir, 'encryption-key', newEncryptionKey),
    ADMIN_API_KEY: given('ADMIN_API_KEY') ?? keptSecret(dataDir, 'admin-key', newAdminKey),
  };
  const config = loadConfig({
    ...env,
    ...made,
    DATABASE_URL: given('DATABASE_URL') ?? 'postgres://embedded',
    TEMPORAL_ADDRESS: given('TEMPORAL_ADDRESS') ?? 'embedded',
  });
  const everywhere = ['0.0.0.0', '::', '127.0.0.1'].includes(config.HOST);
  const baseUrl = `http://${everywhere ? 'localhost' : config.HOST}:${config.PORT}`;
  return {
    dataDir,
    port: config.PORT,
    baseUrl,
    adminKey: made.ADMIN_API_KEY,
    databaseUrl: given('DATABASE_URL'),
    temporalAddress: given('TEMPORAL_ADDRESS'),
    appleUrl: given('APPLE_ADE_URL'),
    env: { ...env, ...made, PUBLIC_URL: given('PUBLIC_URL') ?? baseUrl },
  };
}

/** The one port that others were told: never moved silently. */
export async function requirePort(port: number): Promise<void> {
  if (await isFree(port)) return;
  const owner = portOwner(port);
  throw new StartError(
    `Port ${port} is in use${owner === null ? '' : ` by ${owner}`}.`,
    `Stop what listens there, or choose another port: PORT=${port + 1} npm start`,
  );
}

export async function requireTemporal(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const reason = await refusal(hostname, Number(port === '' ? '7233' : port));
  if (reason === null) return;
  throw new StartError(
    `Nothing answers at TEMPORAL_ADDRESS ${address} (${reason}).`,
    'Start that Temporal, correct TEMPORAL_ADDRESS (host:port), or unset it for an embedded one.',
  );
}

/**
 * Where the embedded PostgreSQL keeps its files. It does not run as root, so below a directory that
 * only root may enter (a checkout in /root) it needs a place of its own.
 */
export function postgresDir(dataDir: string): { dir: string; moved: boolean } {
  const inside = path.join(dataDir, 'postgres');
  if (process.getuid?.() !== 0 || existsSync(path.join(inside, 'PG_VERSION'))) {
    return { dir: inside, moved: false };
  }
  const closed = ancestors(dataDir).some((dir) => (statSync(dir).mode & 0o001) === 0);
  if (!closed) return { dir: inside, moved: false };
  // Named by a file in there: a data directory that begins anew gets a new place, too.
  const name = keptSecret(dataDir, 'postgres-place', () => randomBytes(6).toString('hex'));
  return { dir: path.join('/var/lib/guardmdm-abm', name, 'postgres'), moved: true };
}

function ancestors(dir: string): string[] {
  const parent = path.dirname(dir);
  return parent === dir ? [dir] : [dir, ...ancestors(parent)];
}
