import { constants, createCipheriv, publicEncrypt, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { decryptContent } from './decrypt.ts';
import { readFixtureKey } from './fixtures/read.ts';

const { certificatePem, privateKeyPem } = readFixtureKey('current');
const cipher = { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 };
const contentKey = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
const iv = Buffer.alloc(16, 7);
const aes = createCipheriv('aes-128-cbc', contentKey, iv);
const ciphertext = Buffer.concat([aes.update('attack at dawn'), aes.final()]);

/** Raw RSA over a whole block, so that the padding is ours to break. */
function open(block: Buffer): string | null {
  const encryptedKey = publicEncrypt(
    { key: certificatePem, padding: constants.RSA_NO_PADDING },
    block,
  );
  return openWrapped(encryptedKey);
}

function openWrapped(encryptedKey: Uint8Array): string | null {
  const recipient = { issuer: emptyName, serial: '01', encryptedKey };
  const envelope = { recipients: [recipient], cipher, iv, ciphertext };
  const content = decryptContent(envelope, recipient, privateKeyPem);
  return content === null ? null : Buffer.from(content).toString('latin1');
}

const emptyName = {
  tagClass: 'universal' as const,
  tag: 16,
  constructed: true,
  content: Buffer.alloc(0),
  children: [],
};

function padded(key: Buffer, padding = Buffer.alloc(253 - key.length, 0xab)): Buffer {
  return Buffer.concat([Buffer.from([0, 2]), padding, Buffer.from([0]), key]);
}

test('a key wrapped by OpenSSL is unwrapped', () => {
  const wrapped = publicEncrypt(
    { key: certificatePem, padding: constants.RSA_PKCS1_PADDING },
    contentKey,
  );

  expect(openWrapped(wrapped)).toBe('attack at dawn');
});

test('a key with the right padding is unwrapped', () => {
  expect(open(padded(contentKey))).toBe('attack at dawn');
});

describe('nothing is decrypted with', () => {
  const holed = Buffer.alloc(237, 0xab);
  holed[100] = 0;
  const right = padded(contentKey);
  const patched = (index: number, value: number) => {
    const block = Buffer.from(right);
    block[index] = value;
    return block;
  };

  test.each([
    ['a block that begins with another byte', patched(0, 1)],
    ['the padding of a signature', patched(1, 1)],
    ['a zero within the padding', padded(contentKey, holed)],
    ['a zero right at its beginning', patched(2, 0)],
    ['no zero before the key', patched(239, 1)],
    ['a longer key that ends in ours', padded(Buffer.concat([Buffer.alloc(1, 9), contentKey]))],
    ['a shorter key', padded(contentKey.subarray(1))],
    ['no padding at all', Buffer.concat([Buffer.alloc(240), contentKey])],
  ])('%s', (_, block) => {
    expect(block).toHaveLength(256);
    expect(open(block)).not.toBe('attack at dawn');
  });

  test.each([
    ['an empty key', Buffer.alloc(0)],
    ['a short key', randomBytes(128)],
    ['a long key', randomBytes(512)],
    ['a key above the modulus', Buffer.alloc(256, 0xff)],
  ])('%s', (_, encryptedKey) => {
    expect(openWrapped(encryptedKey)).toBeNull();
  });
});
