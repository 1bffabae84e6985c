import type { AdeCode } from '../../domain/ade.ts';
import { adeCodes } from '../../domain/ade.ts';
import { AdeError, type AdeEndpoint } from './errors.ts';
import { readRetryAfter } from './retry-after.ts';

const ourOwn: ReadonlySet<AdeCode> = new Set<AdeCode>([
  'SERVER_ERROR',
  'unreachable',
  'bad_reply',
  'unknown',
]);

/**
 * The words of OAuth 1.0 problem reporting that say something of the token itself. Others
 * (`nonce_used`, `timestamp_refused`, …) say that this one request was wrong: the status decides.
 */
const oauthWords: [word: string, code: AdeCode][] = [
  ['token_rejected', 'TOKEN_REJECTED'],
  ['token_revoked', 'TOKEN_REJECTED'],
  ['consumer_key_unknown', 'TOKEN_REJECTED'],
  ['consumer_key_rejected', 'TOKEN_REJECTED'],
  ['token_expired', 'TOKEN_EXPIRED'],
  ['signature_invalid', 'SIGNATURE_INVALID'],
  ['message_format_error', 'MESSAGE_FORMAT_ERROR'],
];

/** Longest first: `NOT_FOUND` is inside `PROFILE_NOT_FOUND`. Case counts: `FORBIDDEN` is not in
 * `token_expiredForbidden`. */
const words = [
  ...adeCodes.filter((code) => !ourOwn.has(code)).map((code) => [code, code] as const),
  ...oauthWords,
].sort(([a], [b]) => b.length - a.length);

const byStatus: ReadonlyMap<number, AdeCode> = new Map<number, AdeCode>([
  [401, 'UNAUTHORIZED'],
  [404, 'NOT_FOUND'],
  [405, 'METHOD_NOT_ALLOWED'],
  [408, 'SERVER_ERROR'],
]);

export interface Refusal {
  endpoint: AdeEndpoint;
  status: number;
  /** As read, possibly cut at the cap. */
  body: string;
  retryAfter: string | null;
  /** Apple's `Date` header: tells a wrong clock of ours from a wrong token. */
  date: string | null;
  /** Struck out should the body repeat them. */
  secrets: readonly string[];
  now: Date;
}

/**
 * Any answer that is not a success, parsed once. Apple mostly sends the bare code as text; seen are
 * also JSON strings, `{code}` or `{message}`, `oauth_problem_advice…` with or without a word, HTML of
 * something in between, and nothing at all.
 *
 * https://developer.apple.com/documentation/devicemanagement/interpreting-error-codes
 */
export function parseRefusal(refusal: Refusal): AdeError {
  const said = readWords(refusal.body);
  return new AdeError(codeOf(refusal.status, said), {
    endpoint: refusal.endpoint,
    status: refusal.status,
    retryAfterSeconds: readRetryAfter(refusal.retryAfter, refusal.now),
    detail: redact(said.text, refusal.secrets) + clockNote(refusal),
  });
}

/** A clock that is off makes every signature of ours look forged, and nothing else says so. */
function clockNote({ status, date, now }: Refusal): string {
  const theirs = status === 401 && date !== null ? Date.parse(date) : Number.NaN;
  const seconds = Math.round((now.getTime() - theirs) / 1000);
  if (Number.isNaN(theirs) || Math.abs(seconds) < 120) return '';
  return ` (our clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} Apple's)`;
}

interface Said {
  /** What Apple says, out of its wrapping. */
  text: string;
  /** Where to look when `text` holds no word that we know. */
  whole: string;
  isHtml: boolean;
}

function codeOf(status: number, said: Said): AdeCode {
  // A server in trouble, or a gateway before it, is not to be taken at its word.
  if (status >= 500) return 'SERVER_ERROR';
  if (status === 429) return 'TOO_MANY_REQUESTS';
  const known = said.isHtml
    ? words.find(([word]) => hasWholeWord(said.text, word))
    : (words.find(([word]) => said.text.includes(word)) ??
      words.find(([word]) => said.whole.includes(word)));
  if (known !== undefined) return known[1];
  if (said.whole.includes('oauth_problem')) {
    if (status === 400) return 'MESSAGE_FORMAT_ERROR';
    if (status === 403) return 'FORBIDDEN';
  }
  // A 403 without a word is as likely from a proxy as from Apple: it must not condemn the token.
  return byStatus.get(status) ?? 'unknown';
}

/** Proxies write things like `ERR_ACCESS_DENIED` into their pages: there only a whole word counts. */
function hasWholeWord(text: string, word: string): boolean {
  return new RegExp(`(^|[^A-Za-z0-9_])${word}($|[^A-Za-z0-9_])`).test(text);
}

function readWords(body: string): Said {
  const whole = body.replace(/^\uFEFF/, '').trim();
  if (whole.startsWith('<')) return { text: stripTags(whole), whole, isHtml: true };
  if (!/^["{[]/.test(whole)) return { text: whole, whole, isHtml: false };
  try {
    const told = pick(JSON.parse(whole));
    return { text: told === '' ? whole : told, whole, isHtml: false };
  } catch {
    return { text: whole.replace(/^"+|"+$/g, ''), whole, isHtml: false };
  }
}

/** The code and the message, at the top or further down. */
function pick(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return pick(value[0]);
  if (typeof value !== 'object' || value === null) return '';
  const { code, message, error, errors } = value as Record<string, unknown>;
  const own = [code, message].filter((part) => typeof part === 'string' && part !== '').join(': ');
  return own === '' ? pick(error ?? errors) : own;
}

function stripTags(html: string): string {
  return html
    .slice(0, 8192)
    .replace(/<!--[\s\S]*?-->/g, ' ')
    .replace(/<(script|style)\b[\s\S]*?(<\/\1\s*>|$)/gi, ' ')
    .replace(/<[^>]*>?/g, ' ');
}

/** One short printable line without a secret. */
function redact(text: string, secrets: readonly string[]): string {
  let line = text.replace(/[\s\p{C}]+/gu, ' ').trim();
  for (const secret of secrets) if (secret !== '') line = line.replaceAll(secret, '[redacted]');
  return line
    .replace(/\b(CK|CS|AT|AS)_\w+/g, '[redacted]')
    .replace(/\b\d{13}O\w+/g, '[redacted]')
    .replace(/(oauth_(?:token|consumer_key|signature|nonce)="?)[^\s,&"]+/g, '$1[redacted]')
    .slice(0, 200);
}
