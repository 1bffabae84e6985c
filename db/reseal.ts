import type { Sql } from 'postgres';
import type { Database } from './client.ts';
import type { SecretPlace, Sealer } from './sealing.ts';

/** Every table that holds something sealed, and the column that binds a seal to its row. */
const sealedTables: readonly { table: SecretPlace['table']; id: string }[] = [
  { table: 'integration_keys', id: 'id' },
  { table: 'server_tokens', id: 'integration_id' },
  { table: 'ade_sessions', id: 'integration_id' },
];

const batchSize = 100;

export interface ResealReport {
  table: string;
  resealed: number;
  /** Still under another key: a writer that does not know the new key is running. */
  left: number;
}

/**
 * Seals everything under the current key that an older one has sealed. Works in small transactions
 * and may be stopped and started again at any time; readers that know both keys notice nothing.
 */
export async function resealAll(
  { sql }: Pick<Database, 'sql'>,
  sealer: Sealer,
): Promise<ResealReport[]> {
  const reports: ResealReport[] = [];
  for (const { table, id } of sealedTables) {
    let resealed = 0;
    for (let done = await resealBatch(sql, sealer, table, id); done > 0;) {
      resealed += done;
      done = await resealBatch(sql, sealer, table, id);
    }
    const [row] = await sql<[{ left: number }]>`
      select count(*)::int as left from ${sql(table)}
      where sealed is not null and key_id <> ${sealer.currentKeyId}`;
    reports.push({ table, resealed, left: row.left });
  }
  return reports;
}

function resealBatch(
  sql: Sql,
  sealer: Sealer,
  table: SecretPlace['table'],
  id: string,
): Promise<number> {
  return sql.begin(async (tx) => {
    const rows = await tx<{ row_id: string; sealed: Uint8Array; key_id: string }[]>`
      select ${tx(id)} as row_id, sealed, key_id from ${tx(table)}
      where sealed is not null and key_id <> ${sealer.currentKeyId}
      order by ${tx(id)} limit ${batchSize} for update`;
    for (const row of rows) {
      const place = { table, rowId: row.row_id };
      const secret = sealer.open(place, { sealed: row.sealed, keyId: row.key_id });
      const { sealed, keyId } = sealer.seal(place, secret);
      await tx`
        update ${tx(table)} set sealed = ${sealed}, key_id = ${keyId}
        where ${tx(id)} = ${row.row_id}`;
    }
    return rows.length;
  });
}
