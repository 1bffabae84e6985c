import { createDatabase, ping } from './client.ts';
import { resealAll } from './reseal.ts';
import { createSealer } from './sealing.ts';

/*
 * npm run rotate-key: seals everything under ENCRYPTION_KEY that a key of ENCRYPTION_KEYS_OLD has
 * sealed. First give the new ENCRYPTION_KEY to every server and worker, with the one before it in
 * ENCRYPTION_KEYS_OLD; then run this; then the old key may go.
 */
const { DATABASE_URL: url, ENCRYPTION_KEY: key, ENCRYPTION_KEYS_OLD: old } = process.env;
if (!url || !key) {
  console.error('Set DATABASE_URL, ENCRYPTION_KEY (the new key) and ENCRYPTION_KEYS_OLD.');
  process.exit(1);
}
const database = createDatabase(url, { max: 2, applicationName: 'guardmdm-abm rotate-key' });
try {
  const sealer = createSealer(key, (old ?? '').split(',').filter(Boolean));
  await ping(database);
  const reports = await resealAll(database, sealer);
  for (const { table, resealed, left } of reports)
    console.log(`${table}: ${resealed} sealed under the key ${sealer.currentKeyId}, ${left} left`);
  if (reports.some(({ left }) => left > 0)) {
    console.error(
      'A process that does not know the new key is still writing. Restart it, run again.',
    );
    process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await database.close();
}
