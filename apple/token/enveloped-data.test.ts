import { describe, expect, test } from 'vitest';
import { BerError } from './ber.ts';
import { isSameId, readCertificateId, readEnvelopedData } from './enveloped-data.ts';
import { readFixture } from './fixtures/read.ts';

const rsa = sequence('0609 2a864886f70d010101', '0500');
const pieces = {
  version: '020100',
  originatorInfo: '',
  recipients: set(recipient('0201 05')),
  contentType: '0609 2a864886f70d010701',
  cipher: '0609 60864801650304 0102',
  iv: '0410 000102030405060708090a0b0c0d0e0f',
  encrypted: '8003 616263',
};

describe('an envelope is read', () => {
  test('with its recipient, cipher, initialization vector and content', () => {
    const envelope = readEnvelopedData(build({}));

    expect(envelope.cipher.name).toBe('aes-128-cbc');
    expect(envelope.iv).toHaveLength(16);
    expect(Buffer.from(envelope.ciphertext).toString()).toBe('abc');
    expect(envelope.recipients).toMatchObject([{ serial: '05' }]);
  });

  test.each([
    ['with information on its originator', { originatorInfo: 'a000' }],
    ['with content in chunks', { encrypted: 'a080 0401 61 2480 0401 62 0401 63 0000 0000' }],
    ['with an initialization vector in chunks', { iv: `2480 ${'0401 07'.repeat(16)} 0000` }],
  ])('%s', (_, change) => {
    const envelope = readEnvelopedData(build(change));

    expect(Buffer.from(envelope.ciphertext).toString()).toBe('abc');
    expect(envelope.iv).toHaveLength(16);
  });

  test('without the recipients that Apple has no use for', () => {
    const byKeyId = tlv('30', '020102', '8003 010203', rsa, '0402 aabb');
    const oaep = recipient('0201 06', sequence('0609 2a864886f70d010107'));
    const agreement = 'a103 020103';
    const recipients = set(agreement, byKeyId, oaep, recipient('0201 05'));

    expect(readEnvelopedData(build({ recipients })).recipients).toMatchObject([{ serial: '05' }]);
  });
});

describe('an envelope is refused', () => {
  test.each([
    ['without content', { encrypted: '' }],
    ['with content of another tag', { encrypted: '8103 616263' }],
    ['with chunks that are no octet strings', { encrypted: 'a003 0c01 61' }],
    ['with an unknown cipher', { cipher: '0609 60864801650304 0103' }],
    ['with an initialization vector of 8 bytes', { iv: '0408 0001020304050607' }],
    ['without an initialization vector', { iv: '0500' }],
    ['with recipients in a sequence', { recipients: sequence(recipient('0201 05')) }],
    ['with a recipient that has no key', { recipients: set(sequence('020100', sequence())) }],
  ])('%s', (_, change) => {
    expect(() => readEnvelopedData(build(change))).toThrow(BerError);
  });
});

describe('a certificate id', () => {
  const current = readCertificateId(readFixture('current.pem').toString());
  const stranger = readCertificateId(readFixture('stranger.pem').toString());

  test('is the same when issuer and serial number are', () => {
    const impostor = readCertificateId(readFixture('impostor.pem').toString());

    expect(isSameId(current, current)).toBe(true);
    expect(isSameId(current, impostor)).toBe(true);
  });

  test('differs when one of the two does', () => {
    expect(isSameId(current, { ...current, serial: stranger.serial })).toBe(false);
    expect(isSameId(current, { ...current, issuer: stranger.issuer })).toBe(false);
  });

  test.each([
    ['nothing', ''],
    ['a key', readFixture('current-key.pem').toString()],
    ['a cut certificate', readFixture('current.pem').toString().slice(0, 300)],
  ])('is not read from %s', (_, pem) => {
    expect(() => readCertificateId(pem)).toThrow(BerError);
  });
});

function recipient(serial: string, algorithm = rsa) {
  return sequence('020100', sequence(sequence(), serial), algorithm, '0402 aabb');
}

function build(change: Partial<typeof pieces>): Buffer {
  const all = { ...pieces, ...change };
  const content = sequence(all.contentType, sequence(all.cipher, all.iv), all.encrypted);
  const enveloped = sequence(all.version, all.originatorInfo, all.recipients, content);
  return Buffer.from(sequence('0609 2a864886f70d010703', tlv('a0', enveloped)), 'hex');
}

function sequence(...members: string[]): string {
  return tlv('30', ...members);
}

function set(...members: string[]): string {
  return tlv('31', ...members);
}

function tlv(identifier: string, ...members: string[]): string {
  const content = members.join('').replaceAll(' ', '');
  return `${identifier}82${(content.length / 2).toString(16).padStart(4, '0')}${content}`;
}
