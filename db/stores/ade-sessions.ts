import type { AdeSession, AdeSessionStore } from '../../domain/ade.ts';
import type { Database } from '../client.ts';
import type { Sealer } from '../sealing.ts';

interface SessionRow {
  sealed: Uint8Array | null;
  key_id: string | null;
  generation: number;
}

/** Leases run by the server's clock, the one that all processes share. */
export function createAdeSessionStore(
  deps: Pick<Database, 'sql'> & { sealer: Sealer },
): AdeSessionStore {
  const { sql, sealer } = deps;
  const placeOf = (rowId: string) => ({ table: 'ade_sessions', rowId }) as const;

  const find = async (integrationId: string): Promise<AdeSession | undefined> => {
    const [row] = await sql<SessionRow[]>`
      select sealed, key_id, generation from ade_sessions where integration_id = ${integrationId}`;
    if (row?.sealed == null || row.key_id === null) return undefined;
    const token = sealer.open(placeOf(integrationId), { sealed: row.sealed, keyId: row.key_id });
    return { token, generation: row.generation };
  };

  return {
    find,

    async claimRenewal(integrationId, seen, leaseSeconds) {
      const until = sql`now() + make_interval(secs => ${leaseSeconds})`;
      const [claimed] = await sql<{ generation: number }[]>`
        insert into ade_sessions (integration_id, generation, claimed_until)
        values (${integrationId}, 0, ${until})
        on conflict (integration_id) do update set claimed_until = ${until}
        where (ade_sessions.generation = ${seen} or ade_sessions.sealed is null)
          and (ade_sessions.claimed_until is null or ade_sessions.claimed_until <= now())
        returning generation`;
      return claimed?.generation ?? null;
    },

    async saveRenewed(integrationId, claimed, token) {
      const { sealed, keyId } = sealer.seal(placeOf(integrationId), token);
      const [row] = await sql<{ generation: number }[]>`
        update ade_sessions set sealed = ${sealed}, key_id = ${keyId}, generation = generation + 1,
          claimed_until = null
        where integration_id = ${integrationId} and generation = ${claimed}
        returning generation`;
      if (row !== undefined) return { token, generation: row.generation };
      // Somebody was quicker, or a new server token has made this session pointless.
      return (await find(integrationId)) ?? { token, generation: claimed };
    },

    async releaseClaim(integrationId, claimed) {
      await sql`
        update ade_sessions set claimed_until = null
        where integration_id = ${integrationId} and generation = ${claimed}
          and claimed_until is not null`;
    },

    async adopt(integrationId, generation, token) {
      const { sealed, keyId } = sealer.seal(placeOf(integrationId), token);
      await sql`
        update ade_sessions set sealed = ${sealed}, key_id = ${keyId}
        where integration_id = ${integrationId} and generation = ${generation}
          and sealed is not null`;
    },
  };
}
