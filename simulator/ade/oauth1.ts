import { createHmac, timingSafeEqual } from 'node:crypto';
import type { MdmServer } from '../mdm-server.ts';
import type { World } from '../world.ts';
import { Refusal } from './refusal.ts';

/**
 * The server's half of OAuth 1.0a with HMAC-SHA1 (RFC 5849 §3.2–3.4), for a request without a body.
 * Failures answer in Apple's words.
 */

const badRequest = () => new Refusal(400, 'oauth_problem_adviceBad Request');
const unauthorized = () => new Refusal(401, 'oauth_problem_adviceUnauthorized');

const required = [
  'oauth_consumer_key',
  'oauth_token',
  'oauth_signature_method',
  'oauth_signature',
  'oauth_timestamp',
  'oauth_nonce',
] as const;
const known = new Set<string>([...required, 'oauth_version']);

/** RFC 5849 §3.6: everything but unreserved characters, in upper-case hex. */
function encode(text: string): string {
  return Array.from(Buffer.from(text), (byte) =>
    /[A-Za-z0-9\-._~]/.test(String.fromCharCode(byte))
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest();
  }
}

function readHeader(header: string | null): Map<string, string> {
  const scheme = /^OAuth\s+(.*)$/is.exec(header ?? '');
  if (scheme === null) throw badRequest();
  const params = new Map<string, string>();
  for (const part of (scheme[1] ?? '').split(',')) {
    const pair = /^\s*([^=\s]+)="([^"]*)"\s*$/.exec(part);
    if (pair === null) throw badRequest();
    const name = decode(pair[1] ?? '');
    if (name === 'realm') continue;
    if (!known.has(name) || params.has(name)) throw badRequest();
    params.set(name, decode(pair[2] ?? ''));
  }
  if (!required.every((name) => params.has(name))) throw badRequest();
  return params;
}

function signature(method: string, url: URL, params: Map<string, string>, key: string): Buffer {
  const pairs = [...params, ...url.searchParams]
    .filter(([name]) => name !== 'oauth_signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, av], [b, bv]) => (a === b ? (av < bv ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  const text = [method, `${url.origin}${url.pathname}`, pairs.join('&')].map(encode).join('&');
  return createHmac('sha1', key).update(text).digest();
}

/** Whose token this is; nothing is proven. */
export function claimedServer(world: World, header: string | null): MdmServer | undefined {
  const token = /oauth_token="([^"]*)"/.exec(header ?? '')?.[1];
  return [...world.servers.values()].find(
    ({ token: current, superseded }) =>
      token !== undefined &&
      (current?.accessToken === decodeURIComponent(token) || superseded.has(token)),
  );
}

/** The server entry that this request speaks for. Throws `Refusal`. */
export function verifyOAuth(
  world: World,
  method: string,
  url: URL,
  header: string | null,
): MdmServer {
  const params = readHeader(header);
  const get = (name: string) => params.get(name) ?? '';
  if (get('oauth_signature_method') !== 'HMAC-SHA1') throw badRequest();
  if (params.has('oauth_version') && get('oauth_version') !== '1.0') throw badRequest();
  if (!/^\d+$/.test(get('oauth_timestamp')) || get('oauth_nonce') === '') throw badRequest();

  const servers = [...world.servers.values()];
  const accessToken = get('oauth_token');
  if (servers.some((server) => server.superseded.has(accessToken))) {
    throw new Refusal(401, 'token_rejected');
  }
  const server = servers.find(({ token }) => token?.accessToken === accessToken);
  if (server?.token?.consumerKey !== get('oauth_consumer_key')) throw unauthorized();

  const now = world.clock.wallSeconds();
  const skew = world.options.clockSkewSeconds;
  const timestamp = Number(get('oauth_timestamp'));
  if (Math.abs(now - timestamp) > skew) throw unauthorized();

  const { consumerSecret, accessSecret, expiresAt } = server.token;
  const expected = signature(
    method,
    url,
    params,
    `${encode(consumerSecret)}&${encode(accessSecret)}`,
  );
  const given = Buffer.from(get('oauth_signature'), 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Refusal(401, 'signature_invalid');
  }
  if (!world.sessions.useNonce(`${accessToken} ${get('oauth_nonce')}`, timestamp, now - 2 * skew)) {
    throw unauthorized();
  }
  if (world.clock.seconds() >= expiresAt) throw new Refusal(401, 'token_expired');
  return server;
}
