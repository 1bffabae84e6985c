import type { FieldError } from '../../domain/errors.ts';
import type { ServerToken } from '../../domain/token.ts';

/** Apple's message has about 500 bytes. */
const maxMessageBytes = 64 * 1024;

export type TokenMessage =
  { token: ServerToken } | { unreadable: true } | { problems: FieldError[] };

/**
 * Reads what was in the envelope: a MIME message with one JSON object, between marker lines or not,
 * on one line or cut anywhere, even within a string.
 * https://developer.apple.com/documentation/devicemanagement/examining-server-tokens
 */
export function readTokenMessage(bytes: Uint8Array): TokenMessage {
  const entries = readObject(bytes);
  if (!entries) return { unreadable: true };

  const problems: FieldError[] = [];
  const read = (key: string): string => {
    const value = entries.get(key);
    if (typeof value === 'string' && value.trim() !== '') return value;
    problems.push({ path: key, message: 'is missing or not a string' });
    return '';
  };
  const token: ServerToken = {
    consumerKey: read('consumer_key'),
    consumerSecret: read('consumer_secret'),
    accessToken: read('access_token'),
    accessSecret: read('access_secret'),
    expiresAt: read('access_token_expiry'),
  };
  if (problems.length > 0) return { problems };

  const expiresAt = parseTime(token.expiresAt);
  if (expiresAt === null)
    return { problems: [{ path: 'access_token_expiry', message: 'is not an ISO 8601 time' }] };
  return { token: { ...token, expiresAt } };
}

function readObject(bytes: Uint8Array): Map<string, unknown> | null {
  if (bytes.length > maxMessageBytes) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const json = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1).replace(/[\r\n]/g, '');
    const value: unknown = JSON.parse(json);
    if (typeof value !== 'object' || value === null || hasDuplicateKey(json)) return null;
    return new Map(Object.entries(value));
  } catch {
    return null;
  }
}

/** Of the outermost object of valid JSON; two parsers that disagree on the winner read two tokens. */
function hasDuplicateKey(json: string): boolean {
  const keys = new Set<unknown>();
  let depth = 0;
  for (const [lexeme, text, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g)) {
    if (lexeme === '{' || lexeme === '[') depth += 1;
    else if (lexeme === '}' || lexeme === ']') depth -= 1;
    else if (depth === 1 && text !== undefined && colon !== undefined) {
      const key: unknown = JSON.parse(text);
      if (keys.has(key)) return true;
      keys.add(key);
    }
  }
  return false;
}

function parseTime(text: string): string | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}
