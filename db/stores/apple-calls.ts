import type { AppleCallStore, AppleCallTally } from '../../domain/apple-calls.ts';
import type { Database } from '../client.ts';

interface TallyRow {
  endpoint: string;
  code: string;
  up_to_seconds: number;
  calls: string;
  seconds: number;
}

export function createAppleCallStore({ sql }: Pick<Database, 'sql'>): AppleCallStore {
  return {
    async add(tallies) {
      if (tallies.length === 0) return;
      const column = (of: (tally: AppleCallTally) => string) => tallies.map(of);
      // In one order for all processes, so that two flushes never wait for each other in a circle.
      await sql`
        insert into apple_calls as c (endpoint, code, up_to_seconds, calls, seconds)
        select endpoint, code, up_to_seconds::float8, sum(calls::bigint), sum(seconds::float8)
        from unnest(
          ${column((tally) => tally.endpoint)}::text[], ${column((tally) => tally.code)}::text[],
          ${column((tally) => String(tally.upToSeconds ?? 'Infinity'))}::text[],
          ${column((tally) => String(tally.calls))}::text[],
          ${column((tally) => String(tally.seconds))}::text[]
        ) as t(endpoint, code, up_to_seconds, calls, seconds)
        group by 1, 2, 3 order by 1, 2, 3
        on conflict (endpoint, code, up_to_seconds) do update
          set calls = c.calls + excluded.calls, seconds = c.seconds + excluded.seconds`;
    },

    async totals() {
      const rows = await sql<TallyRow[]>`select * from apple_calls order by 1, 2, 3`;
      return rows.map((row) => ({
        endpoint: row.endpoint,
        code: row.code,
        upToSeconds: Number.isFinite(row.up_to_seconds) ? row.up_to_seconds : null,
        calls: Number(row.calls),
        seconds: row.seconds,
      }));
    },
  };
}
