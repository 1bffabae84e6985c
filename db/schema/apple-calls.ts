import { bigint, doublePrecision, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';

// Apple calls of all processes, so that one of them can answer for all at /metrics.
export const appleCalls = pgTable(
  'apple_calls',
  {
    endpoint: text('endpoint').notNull(),
    code: text('code').notNull(),
    // Infinity: longer than the largest bucket.
    upToSeconds: doublePrecision('up_to_seconds').notNull(),
    calls: bigint('calls', { mode: 'number' }).notNull(),
    seconds: doublePrecision('seconds').notNull(),
  },
  (table) => [primaryKey({ columns: [table.endpoint, table.code, table.upToSeconds] })],
);
