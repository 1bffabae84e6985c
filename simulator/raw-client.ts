import { createHmac, randomUUID } from 'node:crypto';
import type { WireDevicePage } from '../apple/ade/wire.ts';
import type { ServerToken } from './token/server-token.ts';

/** The least that speaks to Apple: signs `/session`, sends the headers, and hides nothing. */
export interface RawClient {
  session: string;
  /** `/session` with what the caller changes about the OAuth parameters; undefined leaves one out. */
  requestSession: (changes?: Record<string, string | undefined>) => Promise<Response>;
  openSession: () => Promise<void>;
  /** A header of `null` is left out. */
  call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string | null>,
  ) => Promise<Response>;
  page: (path: '/server/devices' | '/devices/sync', request: object) => Promise<WireDevicePage>;
}

const encode = (text: string) =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

/** `timestamp` in seconds; `base` is the URL that is signed and called. */
export function createRawClient(
  fetch: (request: Request) => Promise<Response>,
  token: ServerToken,
  base = 'http://apple.test',
  timestamp = () => Math.floor(Date.now() / 1000),
): RawClient {
  const send = (
    method: string,
    path: string,
    headers: Record<string, string | null>,
    body?: string,
  ) =>
    fetch(
      new Request(`${base}${path}`, {
        method,
        headers: Object.entries(headers).filter(
          (header): header is [string, string] => header[1] !== null,
        ),
        ...(body !== undefined && { body }),
      }),
    );
  const common = {
    'user-agent': 'raw-client/1',
    'x-server-protocol-version': '10',
    'content-type': 'application/json;charset=UTF8',
  };
  const client: RawClient = {
    session: '',
    async requestSession(changes = {}) {
      const params: Record<string, string> = {
        oauth_consumer_key: token.consumerKey,
        oauth_nonce: randomUUID(),
        oauth_signature_method: 'HMAC-SHA1',
        oauth_timestamp: String(timestamp()),
        oauth_token: token.accessToken,
        oauth_version: '1.0',
      };
      const { oauth_signature: forged, ...others } = changes;
      for (const [name, value] of Object.entries(others)) {
        if (value !== undefined) params[name] = value;
      }
      const pairs = Object.entries(params).filter(
        ([name]) => !(name in others && others[name] === undefined),
      );
      const listed = pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).sort();
      const text = ['GET', `${base}/session`, listed.join('&')].map(encode).join('&');
      const key = `${encode(token.consumerSecret)}&${encode(token.accessSecret)}`;
      const signature = forged ?? createHmac('sha1', key).update(text).digest('base64');
      const header = [...pairs, ['oauth_signature', signature] as const]
        .map(([name, value]) => `${name}="${encode(value)}"`)
        .join(', ');
      return send('GET', '/session', { ...common, authorization: `OAuth realm="ADM", ${header}` });
    },
    async openSession() {
      const answer = await client.requestSession();
      const body = (await answer.json()) as { auth_session_token: string };
      client.session = body.auth_session_token;
    },
    call: (method, path, body, headers = {}) =>
      send(
        method,
        path,
        { ...common, 'x-adm-auth-session': client.session, ...headers },
        typeof body === 'string' || body === undefined ? body : JSON.stringify(body),
      ),
    async page(path, request) {
      const answer = await client.call('POST', path, request);
      if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
      return (await answer.json()) as WireDevicePage;
    },
  };
  return client;
}
