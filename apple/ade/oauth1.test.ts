import { expect, test } from 'vitest';
import { oauth1Header } from './oauth1.ts';

const token = {
  consumerKey: 'CK_0123456789abcdef',
  consumerSecret: 'CS_fedcba9876543210',
  accessToken: 'AT_O1111111111O2222O1737111741000',
  accessSecret: 'AS_00112233445566778899',
  expiresAt: '2030-01-01T00:00:00Z',
};
const request = {
  url: new URL('https://mdmenrollment.apple.com/session'),
  token,
  timestamp: 1_700_000_000,
  nonce: '4d3c2b1a',
};

test('signs as two independent implementations do', () => {
  expect(oauth1Header(request)).toBe(
    'OAuth realm="ADM", oauth_consumer_key="CK_0123456789abcdef", oauth_nonce="4d3c2b1a", ' +
      'oauth_signature_method="HMAC-SHA1", oauth_timestamp="1700000000", ' +
      'oauth_token="AT_O1111111111O2222O1737111741000", oauth_version="1.0", ' +
      'oauth_signature="L58wnfxpVZH7qrxSQpz3rggWyc4%3D"',
  );
});

test('encodes the characters that encodeURIComponent spares, once in the header and twice in the base', () => {
  // Python: hmac over the base string that urllib.parse.quote(…, safe='~') builds.
  const header = oauth1Header({
    ...request,
    token: {
      ...token,
      consumerKey: "CK_!*'()~ ü",
      consumerSecret: 'CS_&%',
      accessSecret: 'AS_+/=',
    },
  });
  expect(header).toContain('oauth_consumer_key="CK_%21%2A%27%28%29~%20%C3%BC"');
  expect(header).toContain('oauth_signature="e7MY9eHN%2FFOtd5k4JNKnAqoV9mA%3D"');
});

test.each([
  ['HTTPS://MDMENROLLMENT.apple.com/session', 'L58wnfxpVZH7qrxSQpz3rggWyc4%3D'],
  ['https://mdmenrollment.apple.com:443/session', 'L58wnfxpVZH7qrxSQpz3rggWyc4%3D'],
])('signs %s in its normal form', (url, signature) => {
  expect(oauth1Header({ ...request, url: new URL(url) })).toContain(
    `oauth_signature="${signature}"`,
  );
});

test('a port that is not the default one is signed', () => {
  const header = oauth1Header({ ...request, url: new URL('http://127.0.0.1:8099/session') });
  expect(header).toContain('oauth_signature="LOtIGjZCM1JJElhm%2FdL31XTnQbY%3D"');
});
