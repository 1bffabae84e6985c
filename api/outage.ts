/** Codes by which a Postgres connection says that it is not there, at whatever depth of `cause`. */
const outageCodes = new Set([
  // node and the driver
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  // SQLSTATE: password or user refused, shutting down or starting, too many clients, no such database or table yet
  '28P01',
  '28000',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '3D000',
  '42P01',
]);

/**
 * Whether a failure means "the database is not there (yet)" rather than a bug.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html, class 08 and the codes above.
 */
export function isDatabaseOutage(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth += 1) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string' && (outageCodes.has(code) || /^08[0-9A-Z]{3}$/.test(code)))
      return true;
    if (at instanceof AggregateError && at.errors.some((inner) => isDatabaseOutage(inner)))
      return true;
  }
  return false;
}
