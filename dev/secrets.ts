import { randomBytes } from 'node:crypto';
import { accessSync, chmodSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { StartError } from './start-error.ts';

/**
 * Makes the data directory. Others may pass through it (PostgreSQL runs under another account when we
 * are root), not look around. Throws `StartError` where this user may not write.
 */
export function openDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o711 });
    mkdirSync(path.join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StartError(
      `The data directory ${dataDir} cannot be written to (${(error as Error).message}).`,
      'Give this user the right to write there, or choose another: DATA_DIR=/path/to/data npm start',
      { cause: error },
    );
  }
}

/** A secret that is made once and kept in a file that only this user can read. */
export function keptSecret(dataDir: string, name: string, make: () => string): string {
  const file = path.join(dataDir, name);
  try {
    const kept = readFileSync(file, 'utf8').trim();
    // Backups and copies lose modes.
    chmodSync(file, 0o600);
    if (kept !== '') return kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const made = make();
  writeFileSync(file, `${made}\n`, { mode: 0o600 });
  return made;
}

export const newEncryptionKey = () => randomBytes(32).toString('base64');
export const newAdminKey = () => `gma_${randomBytes(24).toString('base64url')}`;
