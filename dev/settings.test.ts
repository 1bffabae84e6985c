import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError } from '../config.ts';
import { openDataDir } from './secrets.ts';
import { postgresDir, readSettings } from './settings.ts';

let dir: string;
let dataDir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'settings-'));
  chmodSync(dir, 0o755);
  dataDir = path.join(dir, 'data');
  openDataDir(dataDir);
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

test('keys that are not set are made once, for this user alone', () => {
  const first = readSettings({ DATA_DIR: dataDir });
  const second = readSettings({ DATA_DIR: dataDir });

  expect(second.adminKey).toBe(first.adminKey);
  expect(second.env['ENCRYPTION_KEY']).toBe(first.env['ENCRYPTION_KEY']);
  expect(statSync(path.join(dataDir, 'encryption-key')).mode & 0o777).toBe(0o600);
});

test('what is set replaces what would be embedded; empty counts as unset', () => {
  const settings = readSettings({
    DATA_DIR: dataDir,
    DATABASE_URL: 'postgres://somewhere/else',
    TEMPORAL_ADDRESS: '',
    APPLE_ADE_URL: 'https://mdmenrollment.apple.com',
    PORT: '9000',
  });

  expect(settings).toMatchObject({
    databaseUrl: 'postgres://somewhere/else',
    temporalAddress: null,
    appleUrl: 'https://mdmenrollment.apple.com',
    baseUrl: 'http://localhost:9000',
  });
});

test('it listens on this machine alone unless told otherwise', () => {
  expect(readSettings({ DATA_DIR: dataDir }).env['HOST']).toBe('127.0.0.1');
  expect(readSettings({ DATA_DIR: dataDir, HOST: '0.0.0.0' }).env['HOST']).toBe('0.0.0.0');
});

test('every wrong variable is named at once', () => {
  expect(() => readSettings({ DATA_DIR: dataDir, PORT: 'x', ENCRYPTION_KEY: 'y' })).toThrow(
    ConfigError,
  );
  expect(() => readSettings({ DATA_DIR: dataDir, PORT: 'x', ENCRYPTION_KEY: 'y' })).toThrow(
    /PORT[\s\S]*ENCRYPTION_KEY/,
  );
});

describe('the place of PostgreSQL', () => {
  const asRoot = process.getuid?.() === 0;

  test('is in the data directory where its account can get there', () => {
    expect(postgresDir(dataDir)).toEqual({ dir: path.join(dataDir, 'postgres'), moved: false });
  });

  test('is outside of it below a directory that only root may enter, the same each time', () => {
    chmodSync(dir, 0o700);
    const place = postgresDir(dataDir);

    expect(place.moved).toBe(asRoot);
    expect(postgresDir(dataDir)).toEqual(place);
  });

  test('is another one once the data directory begins anew', () => {
    chmodSync(dir, 0o700);
    const before = postgresDir(dataDir);
    rmSync(dataDir, { recursive: true });
    mkdirSync(dataDir, { mode: 0o711 });

    expect(postgresDir(dataDir).dir === before.dir).toBe(!asRoot);
  });
});
