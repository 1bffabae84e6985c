import { createHmac } from 'node:crypto';
import type { ServerToken } from '../../domain/token.ts';

/** RFC 5849 §3.6: everything but the unreserved characters, and `encodeURIComponent` spares five. */
function encode(value: string): string {
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/**
 * The `Authorization` header of `GET /session`: OAuth 1.0a, HMAC-SHA1, which Apple requires. `url` has
 * no query; `timestamp` is in seconds; a nonce is used once. Apple's page shows a realm; it is never
 * part of what is signed.
 *
 * RFC 5849 §3.4.1 (base string), §3.4.2 (HMAC-SHA1), §3.5.1 (header)
 * https://developer.apple.com/documentation/devicemanagement/authenticating-for-automated-device-enrollment
 */
export function oauth1Header(request: {
  url: URL;
  token: ServerToken;
  timestamp: number;
  nonce: string;
}): string {
  const parameters: [name: string, value: string][] = [
    // In the order of their names, as the base string wants them.
    ['oauth_consumer_key', request.token.consumerKey],
    ['oauth_nonce', request.nonce],
    ['oauth_signature_method', 'HMAC-SHA1'],
    ['oauth_timestamp', String(request.timestamp)],
    ['oauth_token', request.token.accessToken],
    ['oauth_version', '1.0'],
  ];
  // URL has done §3.4.1.2 already: scheme and host in lower case, the default port left out.
  const base = [
    'GET',
    encode(request.url.origin + request.url.pathname),
    encode(parameters.map(([name, value]) => `${name}=${encode(value)}`).join('&')),
  ].join('&');
  const key = `${encode(request.token.consumerSecret)}&${encode(request.token.accessSecret)}`;
  const signature = createHmac('sha1', key).update(base).digest('base64');

  const fields = [...parameters, ['oauth_signature', signature] as const].map(
    ([name, value]) => `${name}="${encode(value)}"`,
  );
  return `OAuth realm="ADM", ${fields.join(', ')}`;
}
