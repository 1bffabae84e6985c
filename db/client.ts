import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import { DomainError } from '../domain/errors.ts';

export interface Database {
  /** For rows one by one. Its client's date and JSON handling is drizzle's. */
  orm: PostgresJsDatabase;
  /** For sets: a client of its own, because `drizzle(client)` overwrites the serializers of its client. */
  sql: Sql;
  close(): Promise<void>;
}

/** A transaction of either handle's. */
export type Orm = Pick<
  PostgresJsDatabase,
  'select' | 'selectDistinct' | 'insert' | 'update' | 'delete' | 'execute'
>;

export interface DatabaseOptions {
  /** Connections in all, at least 2. They are opened when first needed and closed after a while idle. */
  max?: number;
  applicationName?: string;
  onNotice?: (message: string) => void;
}

/** Nothing connects until the first query. */
export function createDatabase(url: string, options: DatabaseOptions = {}): Database {
  const max = options.max ?? 10;
  const settings = {
    onnotice: (notice: { message?: string }) => options.onNotice?.(notice.message ?? ''),
    connect_timeout: 10,
    idle_timeout: 60,
    connection: { application_name: options.applicationName ?? 'guardmdm-abm' },
  };
  const forOrm = postgres(url, { ...settings, max: Math.max(1, Math.floor(max / 2)) });
  const sql = postgres(url, { ...settings, max: Math.max(1, Math.ceil(max / 2)) });
  return {
    orm: drizzle(forOrm),
    sql,
    close: async () => {
      await Promise.all([forOrm.end({ timeout: 5 }), sql.end({ timeout: 5 })]);
    },
  };
}

/**
 * Asks the server for a sign of life. Throws `database_unavailable` with what to do; the message names
 * host and database, never the password.
 */
export async function ping(database: Pick<Database, 'sql'>): Promise<void> {
  try {
    await database.sql`select 1`;
  } catch (error) {
    throw unavailable(database.sql, error);
  }
}

function unavailable(sql: Sql, cause: unknown): DomainError {
  const { host, port, database } = sql.options;
  const where = `${String(host[0])}:${String(port[0])}`;
  const code = (cause as { code?: unknown }).code;
  const advice = adviceFor(code, database);
  return new DomainError(
    'database_unavailable',
    `PostgreSQL at ${where} (database "${database}") cannot be used: ${advice}`,
    { cause },
  );
}

function adviceFor(code: unknown, database: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there. Start it, or correct host and port in DATABASE_URL.';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host is not known. Correct the host in DATABASE_URL.';
    case 'CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return 'it does not answer. Check the host in DATABASE_URL and the firewall between.';
    case '28P01':
    case '28000':
      return 'it refuses the user or the password. Correct them in DATABASE_URL.';
    case '3D000':
      return `there is no such database. Make it with: createdb ${database}`;
    case '53300':
      return 'it has no connection left. Lower DATABASE_POOL_SIZE or raise max_connections.';
    default:
      return `it answered with ${typeof code === 'string' ? code : 'an error'}. Check DATABASE_URL.`;
  }
}
