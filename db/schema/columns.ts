import { customType, timestamp } from 'drizzle-orm/pg-core';

/**
 * Text compared byte by byte: several times cheaper in an index than a language's rules, the same on
 * every server, and it lets a plain index answer "begins with".
 */
export const plainText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });

export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => 'bytea',
});

/** Milliseconds, as JavaScript has them: a finer time would not survive a keyset cursor. */
export const moment = (name: string) =>
  timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
