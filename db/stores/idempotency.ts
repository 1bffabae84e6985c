import type { IdempotencyStore } from '../../domain/idempotency.ts';
import type { Database } from '../client.ts';

interface KeptRow {
  fingerprint: Uint8Array;
  answer: Uint8Array | null;
}

const keptMs = 24 * 3600_000;

export function createIdempotencyStore({ sql }: Pick<Database, 'sql'>): IdempotencyStore {
  return {
    async claim({ apiKeyId, key, fingerprint, leaseSeconds, now }) {
      const oldest = new Date(now.getTime() - keptMs);
      const leased = new Date(now.getTime() - leaseSeconds * 1000);
      // Taken over: what is a day old, and a claim whose holder has died before it had an answer.
      const claimed = await sql`
        insert into idempotency_keys (api_key_id, key, fingerprint, claimed_at)
        values (${apiKeyId}, ${key}, ${fingerprint}, ${now})
        on conflict (api_key_id, key) do update
          set fingerprint = excluded.fingerprint, claimed_at = excluded.claimed_at, answer = null
          where idempotency_keys.claimed_at <= ${oldest}
            or (idempotency_keys.answer is null and idempotency_keys.claimed_at <= ${leased}
              and idempotency_keys.fingerprint = excluded.fingerprint)`;
      if (claimed.count === 1) {
        await sql`delete from idempotency_keys where claimed_at <= ${oldest}`;
        return { outcome: 'new' };
      }
      const [kept] = await sql<KeptRow[]>`
        select fingerprint, answer from idempotency_keys
        where api_key_id = ${apiKeyId} and key = ${key}`;
      // Released between the two statements: the caller comes again.
      if (kept === undefined) return { outcome: 'in_progress' };
      if (!Buffer.from(kept.fingerprint).equals(fingerprint)) return { outcome: 'reused' };
      return kept.answer === null
        ? { outcome: 'in_progress' }
        : { outcome: 'replay', answer: kept.answer };
    },

    async finish({ apiKeyId, key, answer }) {
      await sql`
        update idempotency_keys set answer = ${answer}
        where api_key_id = ${apiKeyId} and key = ${key}`;
    },

    async release({ apiKeyId, key }) {
      await sql`
        delete from idempotency_keys
        where api_key_id = ${apiKeyId} and key = ${key} and answer is null`;
    },
  };
}
