import { DomainError } from '../domain/errors.ts';

/** A list's cursor: opaque to clients, `v1` so that a later form can be told from this one. */
export function encodeCursor(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(['v1', ...key]), 'utf8').toString('base64url');
}

/** The key of the last item seen; null at the start. Throws `invalid_request` for a foreign cursor. */
export function decodeCursor(cursor: string | null, shape: readonly RegExp[]): string[] | null {
  if (cursor === null) return null;
  const [version, ...key] = parts(cursor);
  const fits = key.length === shape.length && shape.every((form, at) => form.test(key[at] ?? ''));
  if (version === 'v1' && fits) return key;
  throw new DomainError('invalid_request', 'This cursor is not one of this list.', {
    fields: [{ path: 'cursor', message: 'Take it from the nextCursor of the page before.' }],
  });
}

export const cursorForms = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  number: /^\d{1,18}$/,
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
  serial: /^[^\0]{1,200}$/,
};

function parts(cursor: string): string[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parsed) && parsed.every((part) => typeof part === 'string') ? parsed : [];
  } catch {
    return [];
  }
}

/** Cuts what was read with one row too many into a page. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => T,
  keyOf: (row: Row) => readonly string[],
): { items: T[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return {
    items: items.map(toItem),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null,
  };
}
