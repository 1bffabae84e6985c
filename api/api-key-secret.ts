import { createHash, randomBytes } from 'node:crypto';

/** A new key: 256 random bits behind a prefix by which scanners of leaked secrets know it. */
export function newApiKeySecret(): string {
  return `gmk_${randomBytes(32).toString('base64url')}`;
}

/**
 * What is stored of a key. No salt and no stretching: a key is random and long, and the hash is how
 * it is found. Comparing happens on the hash alone, whose bytes a caller cannot steer, so the time
 * that a lookup takes tells nothing about a key.
 */
export function hashApiKey(secret: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(secret, 'utf8').digest());
}
