import type { Actor } from './audit.ts';
import type { Page, PageQuery } from './page.ts';

export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

export interface ApiKey {
  id: string;
  name: string;
  role: Role;
  expiresAt: string | null;
  createdAt: string;
  lastUsedAt: string | null;
}

/** Does `role` cover what `needed` may do? */
export function roleCovers(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

export interface ApiKeyStore {
  create(
    input: { name: string; role: Role; expiresAt: string | null; secretHash: Uint8Array },
    actor: Actor,
  ): Promise<ApiKey>;
  /**
   * By the SHA-256 of the secret; expired and revoked keys are not found. The stored hash comes with
   * the key, for the caller to compare in constant time.
   */
  findByHash(
    secretHash: Uint8Array,
    now: Date,
  ): Promise<{ key: ApiKey; secretHash: Uint8Array } | undefined>;
  list(query: PageQuery): Promise<Page<ApiKey>>;
  /** Throws `not_found`; refuses (`conflict`) to revoke the last admin key that does not expire. */
  revoke(id: string, actor: Actor): Promise<void>;
  /** Makes sure that a key with this hash exists (the first admin key, by configuration). */
  ensure(input: { name: string; role: Role; secretHash: Uint8Array }): Promise<ApiKey>;
  /** Notes the use; at most one write a minute and key. */
  markUsed(id: string, now: Date): Promise<void>;
}
