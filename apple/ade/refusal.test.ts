import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { adeCodes } from '../../domain/ade.ts';
import type { WireRefusal } from './wire.ts';
import { parseRefusal, type Refusal } from './refusal.ts';

const base: Refusal = {
  endpoint: 'POST /devices/sync',
  status: 400,
  body: '',
  retryAfter: null,
  date: null,
  secrets: [],
  now: new Date('2026-01-01T00:00:00Z'),
};
const parse = (changes: Partial<Refusal>) => parseRefusal({ ...base, ...changes });

const said = adeCodes.filter(
  (code) => !['SERVER_ERROR', 'unreachable', 'bad_reply', 'unknown'].includes(code),
);

describe('the code of a refusal', () => {
  test.each(said)('%s is read in every wrapping', (code) => {
    const bodies = [
      code,
      `"${code}"`,
      ` ${code}\r\n`,
      `\uFEFF${code}`,
      JSON.stringify({ code }),
      JSON.stringify({ message: code }),
      JSON.stringify({ code: 'X', message: code } satisfies WireRefusal),
      JSON.stringify({ code: 400, message: code }),
      JSON.stringify({ error: { code } }),
      JSON.stringify({ errors: [{ code, message: 'text' }] }),
      JSON.stringify({ code: null, reason: code }),
      `{"code":"${code}`,
      `<html><body><h1>${code}</h1></body></html>`,
    ];
    expect(bodies.map((body) => parse({ body }).code)).toEqual(bodies.map(() => code));
  });

  test.each([
    // A longer code is not taken for the shorter one inside it, and case counts.
    [404, 'PROFILE_NOT_FOUND', 'PROFILE_NOT_FOUND'],
    [400, 'DEVICE_NOT_FOUND', 'DEVICE_NOT_FOUND'],
    [403, 'token_expiredForbidden', 'TOKEN_EXPIRED'],
    [403, 'forbidden', 'unknown'],
    // What /session says.
    [400, 'oauth_problem_adviceBad Request', 'MESSAGE_FORMAT_ERROR'],
    [400, 'message_format_error', 'MESSAGE_FORMAT_ERROR'],
    [401, 'oauth_problem_adviceUnauthorized', 'UNAUTHORIZED'],
    [401, 'oauth_problem=token_rejected', 'TOKEN_REJECTED'],
    [401, 'token_rejected', 'TOKEN_REJECTED'],
    [401, 'token_expired', 'TOKEN_EXPIRED'],
    [401, 'signature_invalid', 'SIGNATURE_INVALID'],
    [401, 'oauth_problem=consumer_key_unknown', 'TOKEN_REJECTED'],
    [401, 'oauth_problem=timestamp_refused', 'UNAUTHORIZED'],
    [403, 'oauth_problem_adviceForbidden', 'FORBIDDEN'],
    // Nothing that we know.
    [400, '', 'unknown'],
    [400, 'NEW_CODE_OF_NEXT_YEAR', 'unknown'],
    [401, '', 'UNAUTHORIZED'],
    [403, '', 'unknown'],
    [404, '', 'NOT_FOUND'],
    [405, '', 'METHOD_NOT_ALLOWED'],
    [418, '{}', 'unknown'],
    [302, '', 'unknown'],
    [400, '[]', 'unknown'],
    [400, 'null', 'unknown'],
    // A server in trouble is not taken at its word.
    [429, '', 'TOO_MANY_REQUESTS'],
    [400, 'TOO_MANY_REQUESTS', 'TOO_MANY_REQUESTS'],
    [500, 'FORBIDDEN', 'SERVER_ERROR'],
    [502, '<html><h1>502 Bad Gateway</h1></html>', 'SERVER_ERROR'],
    [503, '', 'SERVER_ERROR'],
    // A proxy of the customer's is not Apple.
    [403, '<!DOCTYPE html><body id=ERR_ACCESS_DENIED><p>Access Denied.</p>', 'unknown'],
    [403, '<html><!-- ACCESS_DENIED --><script>"ACCESS_DENIED"</script>', 'unknown'],
    [403, '<html><p>reason: ERR_ACCESS_DENIED', 'unknown'],
  ])('%i %j is %s', (status, body, code) => {
    expect(parse({ status, body }).code).toBe(code);
  });
});

describe('what a refusal tells', () => {
  test('endpoint, status, wait and words', () => {
    const error = parse({ status: 503, body: '<h1>Busy</h1>\n<p>Try later', retryAfter: '17' });
    expect(error).toMatchObject({
      endpoint: 'POST /devices/sync',
      status: 503,
      retryAfterSeconds: 17,
      detail: 'Busy Try later',
      message: 'POST /devices/sync: Apple answered 503 SERVER_ERROR: Busy Try later',
    });
  });

  test('at most 200 characters on one printable line', () => {
    const { detail } = parse({ body: `a\u0000\u001b[31m\r\n\tb${'x'.repeat(70_000)}` });
    expect(detail).toBe(`a [31m b${'x'.repeat(192)}`);
  });

  test('no secret, whatever Apple repeats', () => {
    const secrets = ['1700000000000O1OAB12', 'weird secret/+='];
    const body =
      'signature_invalid CK_0123abcd CS_0123abcd AT_O12O34O56 AS_9876 weird secret/+= ' +
      'oauth_token="zzz9" oauth_signature=qqq7%3D 1700000000000O1OAB12 1800000000000O1OFFEE';
    const told = inspect(parse({ status: 401, body, secrets }), { depth: 5, showHidden: true });
    for (const secret of [...secrets, '0123abcd', 'O34', '9876', 'zzz9', 'qqq7', 'FFEE'])
      expect(told).not.toContain(secret);
  });

  test('that our clock is wrong, when that may be all there is to it', () => {
    const skewed = { status: 401, body: 'oauth_problem_adviceUnauthorized' };
    expect(parse({ ...skewed, date: 'Thu, 01 Jan 2026 00:10:00 GMT' }).detail).toContain(
      "our clock is 600 s behind Apple's",
    );
    expect(parse({ ...skewed, date: 'Thu, 01 Jan 2026 00:01:00 GMT' }).detail).not.toContain(
      'clock',
    );
    expect(parse({ ...skewed, date: 'nonsense' }).detail).not.toContain('clock');
  });
});
