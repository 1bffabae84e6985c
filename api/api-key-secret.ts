import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new key: 256 random bits behind a prefix by which scanners of leaked secrets know it. */
export function newApiKeySecret(): string {
  return `gmk_${randomBytes(32).toString('base64url')}`;
}

/** What is stored of a key. No salt and no stretching: a key is random and long. */
export function hashApiKey(secret: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(secret, 'utf8').digest());
}

/**
 * The index finds a key by its hash, whose bytes a caller cannot steer; what it found decides only
 * after this comparison, which takes the same time wherever two hashes begin to differ.
 */
export function isSameHash(stored: Uint8Array, given: Uint8Array): boolean {
  return stored.length === given.length && timingSafeEqual(stored, given);
}
