/** Pino's numbers. */
export const levels = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;

const plain = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'err', 'error', 'v']);

/**
 * A line of a part for a person's eyes; null when it is below the level that is asked for. A line
 * that is not pino's counts as an error on stderr and as information on stdout.
 */
export function formatLine(
  text: string,
  stream: 'stdout' | 'stderr',
  fromLevel: number,
): string | null {
  const record = parse(text);
  if (record === null) {
    const level = stream === 'stderr' ? levels.error : levels.info;
    return level >= fromLevel && text.trim() !== '' ? text : null;
  }
  const level = Number(record['level']);
  if (level < fromLevel) return null;
  const message = typeof record['msg'] === 'string' ? record['msg'] : '';
  const cause = causeOf(record['err'] ?? record['error']);
  const fields = Object.entries(record)
    .filter(([key, value]) => !plain.has(key) && typeof value !== 'object')
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');
  return [levelName(level), message, cause, fields]
    .filter((part) => part !== '')
    .join('  ')
    .slice(0, 300);
}

function parse(text: string): Record<string, unknown> | null {
  if (!text.startsWith('{')) return null;
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    return typeof value['level'] === 'number' ? value : null;
  } catch {
    return null;
  }
}

function causeOf(error: unknown): string {
  if (typeof error === 'string') return error;
  if (typeof error !== 'object' || error === null) return '';
  const { message } = error as { message?: unknown };
  return typeof message === 'string' ? message : '';
}

function levelName(level: number): string {
  return Object.entries(levels).find(([, number]) => number === level)?.[0] ?? String(level);
}
