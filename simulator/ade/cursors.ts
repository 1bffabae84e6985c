import { createHmac, randomBytes } from 'node:crypto';
import { Refusal } from './refusal.ts';

const WEEK_SECONDS = 7 * 24 * 3600;

/**
 * Where a walk stands. `position` is the place in the server's change log from which a delta has to
 * start: for a full fetch the place at its beginning, so that nothing that happens meanwhile is lost.
 * `next` is the device number that a full fetch goes on from, and null once it has delivered everything.
 */
export interface Cursor {
  server: string;
  position: number;
  next: number | null;
  issuedAt: number;
}

function seal(text: string, key: Buffer): string {
  return createHmac('sha256', key).update(text).digest('hex').slice(0, 24);
}

/** Looks like Apple's (`MDow…`) and is as opaque; no two are alike. */
export function writeCursor(cursor: Cursor, key: Buffer): string {
  const { server, position, next, issuedAt } = cursor;
  const text = ['0', server, position, next ?? '', issuedAt, randomBytes(4).toString('hex')].join(
    ':',
  );
  return Buffer.from(`${text}:${seal(text, key)}`).toString('base64');
}

/** Throws `INVALID_CURSOR` for garbage or another server's cursor and `EXPIRED_CURSOR` after 7 days. */
export function readCursor(written: string, server: string, now: number, key: Buffer): Cursor {
  const text = Buffer.from(written, 'base64').toString();
  const end = text.lastIndexOf(':');
  const body = text.slice(0, Math.max(0, end));
  const [kind, owner, position, next, issuedAt] = body.split(':');
  const isOurs = kind === '0' && seal(body, key) === text.slice(end + 1);
  if (!isOurs || owner !== server || Buffer.from(text).toString('base64') !== written) {
    throw new Refusal(400, 'INVALID_CURSOR');
  }
  const cursor = {
    server,
    position: Number(position),
    next: next === '' ? null : Number(next),
    issuedAt: Number(issuedAt),
  };
  if (now - cursor.issuedAt > WEEK_SECONDS) throw new Refusal(400, 'EXPIRED_CURSOR');
  return cursor;
}
