import { migrate } from './migrate.ts';

const url = process.env['DATABASE_URL'];
if (url === undefined || url === '') {
  console.error('DATABASE_URL is not set, for example postgres://user:password@host:5432/guardmdm');
  process.exit(1);
}
try {
  await migrate(url);
  console.log('The database is up to date.');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
