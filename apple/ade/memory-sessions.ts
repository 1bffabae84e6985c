import type { AdeSession, AdeSessionStore } from '../../domain/ade.ts';

/**
 * Sessions of one process: for a token that is tried and not yet kept. Claims run out by `now`, as in
 * the shared store.
 */
export function createMemorySessions(now: () => Date): AdeSessionStore {
  const sessions = new Map<string, AdeSession>();
  const claims = new Map<string, { seen: number; until: number }>();
  const generationOf = (id: string) => sessions.get(id)?.generation ?? 0;

  return {
    find: async (id) => sessions.get(id),
    claimRenewal: async (id, seen, leaseSeconds) => {
      const at = now().getTime();
      const isClaimed = (claims.get(id)?.until ?? 0) > at;
      if (isClaimed || generationOf(id) !== seen) return null;
      claims.set(id, { seen, until: at + leaseSeconds * 1000 });
      return seen;
    },
    saveRenewed: async (id, seen, token) => {
      const session = { token, generation: Math.max(seen, generationOf(id)) + 1 };
      sessions.set(id, session);
      claims.delete(id);
      return session;
    },
    releaseClaim: async (id, seen) => {
      if (claims.get(id)?.seen === seen) claims.delete(id);
    },
    adopt: async (id, generation, token) => {
      if (generationOf(id) === generation && generation > 0)
        sessions.set(id, { token, generation });
    },
  };
}
