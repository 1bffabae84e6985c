import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { fixtureToken, readFixture, readFixtureKey } from './fixtures/read.ts';
import { openServerToken } from './open-server-token.ts';

const staged = { ...readFixtureKey('staged'), role: 'staged' as const };
const current = { ...readFixtureKey('current'), role: 'current' as const };
const ours = [staged, current];
const apple = readFixture('apple.der');

describe('a token file is opened', () => {
  test.each([
    ['as Apple lays it out', 'apple.p7m'],
    ['BER with indefinite lengths, without S/MIME around it', 'apple.der'],
    ['DER', 'definite.der'],
    ['by openssl cms, with its own headers', 'openssl-cms.p7m'],
    ['by openssl smime, as application/x-pkcs7-mime', 'openssl-smime.p7m'],
    ['with CRLF', 'crlf.p7m'],
    ['in PEM', 'armored-cms.p7m'],
    ['in PEM of the older name', 'armored-pkcs7.p7m'],
    ['encrypted with 3DES', 'des3.der'],
    ['encrypted with AES-192', 'aes192.der'],
    ['encrypted with AES-256', 'aes256.der'],
    ['with JSON that no markers surround', 'without-markers.der'],
    ['with JSON cut over lines', 'cut-json.der'],
    ['with content in several chunks', 'several-chunks.der'],
    ['with a second recipient that is not us', 'several-recipients.der'],
  ])('%s', (_, name) => {
    expect(openServerToken(readFixture(name), ours)).toEqual({
      token: fixtureToken,
      keyRole: 'current',
    });
  });

  test('by the key that it was made for', () => {
    expect(openServerToken(readFixture('staged.der'), ours).keyRole).toBe('staged');
    expect(openServerToken(readFixture('both-keys.der'), ours).keyRole).toBe('staged');
    expect(openServerToken(readFixture('both-keys.der'), [current]).keyRole).toBe('current');
  });

  test('when Apple writes the name of our certificate in another string type', () => {
    const name = Buffer.from('Fixture current');
    const bytes = Buffer.from(apple);
    const tag = bytes.indexOf(name) - 2;
    expect(bytes[tag]).toBe(12); // UTF8String
    bytes[tag] = 19; // PrintableString

    expect(openServerToken(bytes, ours).keyRole).toBe('current');
  });

  test('by the second key when the first has the same certificate id and does not fit', () => {
    const impostor = {
      certificatePem: current.certificatePem,
      privateKeyPem: readFixtureKey('stranger').privateKeyPem,
      role: 'staged' as const,
    };

    expect(openServerToken(apple, [impostor, current]).keyRole).toBe('current');
  });
});

describe('a file is refused', () => {
  test.each([
    ['made for somebody else', 'stranger.der', 'wrong_key'],
    ['made for a key id instead of issuer and serial number', 'key-id.der', 'wrong_key'],
    ['with JSON that has a key twice', 'duplicate-key.der', 'malformed_token'],
    ['without JSON', 'no-json.der', 'malformed_token'],
    ['whose key only looks like ours', 'other-key-same-id.der', 'malformed_token'],
    ['that is signed, not encrypted', 'signed.der', 'malformed_token'],
    ['with an authenticated cipher', 'authenticated.der', 'malformed_token'],
    ['that is our own certificate', 'current.pem', 'malformed_token'],
    ['that is our own key', 'current-key.pem', 'malformed_token'],
    ['that is decrypted already', 'message.txt', 'malformed_token'],
  ])('%s', (_, name, code) => {
    expect(refusal(readFixture(name)).code).toBe(code);
  });

  test('naming what is missing in it', () => {
    const error = refusal(readFixture('missing-secret.der'));

    expect(error.code).toBe('malformed_token');
    expect(error.fields).toEqual([
      { path: 'access_secret', message: expect.any(String) as string },
    ]);
  });

  test('naming the certificate that it was made for and ours', () => {
    const { message } = refusal(readFixture('stranger.der'));

    expect(message).toContain(serialOf('stranger.pem'));
    expect(message).toContain(serialOf('current.pem'));
  });

  test('when there is no key at all', () => {
    expect(refusal(apple, []).code).toBe('wrong_key');
  });

  test('with one and the same answer, whatever fails once it is being decrypted', () => {
    const answers = [
      refusal(readFixture('other-key-same-id.der')),
      refusal(readFixture('no-json.der')),
      refusal(readFixture('duplicate-key.der')),
      refusal(changed(apple, encryptedKeyOffset)),
      refusal(changed(apple, apple.length - 20)), // the last block: a wrong CBC padding
      refusal(changed(apple, 500)), // a block in the middle: noise, but a right padding
    ].map((error) => ({ message: error.message, fields: error.fields, cause: error.cause }));

    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toHaveLength(1);
  });

  test('without a secret in its message', () => {
    const secrets = Object.values(fixtureToken).slice(0, 4);
    const files = ['message.txt', 'missing-secret.der', 'duplicate-key.der', 'current-key.pem'];

    for (const name of files) {
      const error = refusal(readFixture(name));
      const told = JSON.stringify([error.message, error.fields, String(error.cause)]);
      for (const secret of secrets) expect(told).not.toContain(secret);
      expect(told).not.toContain('PRIVATE KEY');
    }
  });
});

describe('hostile bytes', () => {
  const codes = ['malformed_token', 'wrong_key'];

  test('of any kind end in a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
        expect(codes).toContain(refusal(bytes).code);
      }),
      { numRuns: 2000 },
    );
  });

  test('in a real file either change nothing or end in a refusal', () => {
    const files = [apple, readFixture('definite.der'), readFixture('several-recipients.der')];
    const edits = fc.array(fc.tuple(fc.nat(1300), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(fc.constantFrom(...files), edits, fc.nat(3), (file, changes, kind) => {
        let bytes = Buffer.from(file);
        for (const [at, value] of changes) {
          const index = at % bytes.length;
          if (kind === 0) bytes = bytes.subarray(0, index);
          else if (kind === 1) bytes = Buffer.concat([bytes, bytes.subarray(index)]);
          else bytes[index] = value;
          if (bytes.length === 0) break;
        }
        const result = attempt(bytes);
        if (result instanceof DomainError) expect(codes).toContain(result.code);
        else expect(Object.keys(result.token)).toEqual(Object.keys(fixtureToken));
      }),
      { numRuns: 3000 },
    );
  });

  test('cut off anywhere end in a refusal', () => {
    for (let length = 0; length < apple.length; length++)
      expect(codes).toContain(refusal(apple.subarray(0, length)).code);
  });

  const mebibyte = 1024 * 1024;
  test.each([
    ['nested without end', Buffer.alloc(mebibyte, Buffer.from([0x30, 0x80]))],
    ['a million empty elements', bomb(Buffer.alloc(mebibyte - 6, Buffer.from([0x05, 0x00])))],
    ['a length of four gigabytes', Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x06])],
    [
      'a length of many octets',
      Buffer.concat([Buffer.from([0x30, 0xff]), Buffer.alloc(200, 0xff)]),
    ],
    ['larger than the cap', Buffer.alloc(mebibyte + 1, 0x30)],
    ['a megabyte of line feeds', Buffer.alloc(mebibyte, '\n')],
    ['a header that never ends', Buffer.alloc(mebibyte, 'a: b\n ')],
    ['a megabyte of base64', Buffer.alloc(mebibyte, 'MIAG')],
  ])('%s end in a refusal', (_, bytes) => {
    expect(refusal(bytes).code).toBe('malformed_token');
  });

  test('a thousand recipients with our certificate id cost one decryption', () => {
    const many = withRecipients(readFixture('other-key-same-id.der'), 1000);

    expect(refusal(many, [current]).code).toBe('malformed_token');
  });
});

type Opened = ReturnType<typeof openServerToken>;

function attempt(bytes: Uint8Array, keys = ours as Parameters<typeof openServerToken>[1]) {
  try {
    return openServerToken(bytes, keys);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

function refusal(bytes: Uint8Array, keys = ours as Parameters<typeof openServerToken>[1]) {
  const result: DomainError | Opened = attempt(bytes, keys);
  if (result instanceof DomainError) return result;
  throw new Error('the file was opened');
}

/** Where the encrypted key begins in `apple.der`: after its identifier and its length of 256. */
const encryptedKeyOffset = apple.indexOf(Buffer.from([0x04, 0x82, 0x01, 0x00])) + 4;

function changed(bytes: Uint8Array, index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[index + 1] = (copy[index + 1] ?? 0) ^ 0x5a;
  return copy;
}

function serialOf(name: string): string {
  const der = Buffer.from(
    readFixture(name)
      .toString()
      .replace(/-.*-|\s/g, ''),
    'base64',
  );
  const at = der.indexOf(Buffer.from([0x02, 0x14]));
  return der.subarray(at + 2, at + 22).toString('hex');
}

function bomb(content: Buffer): Buffer {
  const header = Buffer.from([0x30, 0x84, 0, 0, 0, 0]);
  header.writeUInt32BE(content.length, 2);
  return Buffer.concat([header, content]);
}

/** The same envelope with its one recipient repeated; the SET gets an indefinite length. */
function withRecipients(file: Buffer, count: number): Buffer {
  const set = file.indexOf(Buffer.from([0x31, 0x82]));
  const end = set + 4 + file.readUInt16BE(set + 2);
  const recipient = file.subarray(set + 4, end);
  return Buffer.concat([
    file.subarray(0, set),
    Buffer.from([0x31, 0x80]),
    ...Array.from({ length: count }, () => recipient),
    Buffer.from([0, 0]),
    file.subarray(end),
  ]);
}
