import { describe, expect, test } from 'vitest';
import { fixtureToken } from './fixtures/read.ts';
import { readTokenMessage, type TokenMessage } from './token-message.ts';

const fields = {
  consumer_key: fixtureToken.consumerKey,
  consumer_secret: fixtureToken.consumerSecret,
  access_token: fixtureToken.accessToken,
  access_secret: fixtureToken.accessSecret,
  access_token_expiry: '2049-01-17T11:02:21Z',
};
const json = JSON.stringify(fields);
const head = 'Content-Type: text/plain;charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n';
const read = (text: string): TokenMessage => readTokenMessage(Buffer.from(text));

describe('a message is read', () => {
  test.each([
    ['with markers', `${head}-----BEGIN MESSAGE-----\n${json}\n-----END MESSAGE-----\n`],
    ['without markers', head + json],
    ['without headers', json],
    ['pretty-printed', head + JSON.stringify(fields, null, 2)],
    ['with CRLF', head + JSON.stringify(fields, null, 2).replaceAll('\n', '\r\n')],
    ['cut every 10 characters', head + json.replace(/.{10}/g, '$&\r\n')],
    [
      'with fields that we do not know',
      head + JSON.stringify({ ...fields, more: { a: [1, '}'] } }),
    ],
    ['with keys repeated at other depths', head + JSON.stringify({ x: fields, ...fields })],
    [
      'with a value that looks like a key',
      head + JSON.stringify({ ...fields, x: 'access_secret' }),
    ],
  ])('%s', (_, text) => {
    expect(read(text)).toEqual({ token: fixtureToken });
  });
});

describe('a message is unreadable', () => {
  test.each([
    ['when it is empty', ''],
    ['without JSON', head],
    ['with half of its JSON', json.slice(0, 100)],
    ['when a key is there twice', json.replace('}', ',"access_secret":"AS_other"}')],
    ['when a key is there twice, once escaped', json.replace('}', ',"access\\u005fsecret":"x"}')],
    ['when its markers hold two objects', `${json}\n${json}`],
    ['when it is larger than 64 KiB', json + ' '.repeat(64 * 1024)],
  ])('%s', (_, text) => {
    expect(read(text)).toEqual({ unreadable: true });
  });

  test('when it is not UTF-8', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"consumer_key":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);

    expect(readTokenMessage(bytes)).toEqual({ unreadable: true });
  });
});

describe('problems are named by field:', () => {
  test.each(Object.keys(fields))('%s missing, null, empty, blank, a number', (key) => {
    for (const value of [undefined, null, '', '  ', 7, {}]) {
      const message = read(JSON.stringify({ ...fields, [key]: value }));
      expect(message).toEqual({ problems: [{ path: key, message: 'is missing or not a string' }] });
    }
  });

  test('all of them at once', () => {
    expect(read('{}')).toHaveProperty('problems.length', 5);
  });

  test.each([
    'tomorrow',
    '2049-01-17',
    '2049-01-17 11:02:21',
    '2049-13-01T00:00:00Z',
    '1768647741',
  ])('an expiry of %s', (expiry) => {
    const message = read(JSON.stringify({ ...fields, access_token_expiry: expiry }));
    expect(message).toMatchObject({ problems: [{ path: 'access_token_expiry' }] });
  });
});

test('an expiry with an offset or fractions becomes UTC', () => {
  const expiryOf = (text: string) =>
    read(JSON.stringify({ ...fields, access_token_expiry: text })) as {
      token: { expiresAt: string };
    };

  expect(expiryOf('2049-01-17T12:02:21+01:00').token.expiresAt).toBe(fixtureToken.expiresAt);
  expect(expiryOf('2049-01-17T11:02:21.000Z').token.expiresAt).toBe(fixtureToken.expiresAt);
});
