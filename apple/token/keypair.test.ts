import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TokenKey } from '../../domain/integration.ts';
import { fixtureToken, readFixture } from './fixtures/read.ts';
import { createTokenKey } from './keypair.ts';
import { openServerToken } from './open-server-token.ts';

const now = new Date('2026-03-01T12:00:00.000Z');
let key: TokenKey;
let certificate: X509Certificate;

beforeAll(async () => {
  key = await createTokenKey({ name: 'Head office', now });
  certificate = new X509Certificate(key.certificatePem);
});

test('the certificate is RSA-2048, self-signed, and belongs to the private key', () => {
  expect(certificate.publicKey.asymmetricKeyType).toBe('rsa');
  expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(key.privateKeyPem))).toBe(true);
  expect(certificate.issuer).toBe(certificate.subject);
  expect(certificate.ca).toBe(false);
});

test('it is valid from ten minutes ago, so that a slow clock at Apple takes it', () => {
  expect(new Date(certificate.validFrom)).toEqual(new Date('2026-03-01T11:50:00.000Z'));
  expect(new Date(certificate.validTo)).toEqual(new Date('2036-03-01T12:00:00.000Z'));
});

test('each one has a positive serial number and a name of its own', async () => {
  const other = new X509Certificate(
    (await createTokenKey({ name: 'Head office', now })).certificatePem,
  );

  expect(certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
  expect(certificate.subject).toMatch(/^CN=Head office [0-9a-f]{16}$/);
  expect(other.serialNumber).not.toBe(certificate.serialNumber);
  expect(other.subject).not.toBe(certificate.subject);
});

test.each([
  ['letters outside ASCII', 'Zürich – Büro'],
  ['no letter in ASCII', '東京'],
  ['nothing', ''],
  ['more than a common name may hold', 'x'.repeat(500)],
  ['what a distinguished name is made of', 'a=b, CN=c+d/e\\f"g"\n'],
])('a name with %s still makes a certificate', async (_, name) => {
  const made = new X509Certificate((await createTokenKey({ name, now })).certificatePem);
  const commonName = made.toLegacyObject().subject.CN ?? '';

  expect(made.verify(made.publicKey)).toBe(true);
  expect(commonName.length).toBeLessThanOrEqual(64);
  expect(commonName).toMatch(/^[\x20-\x7e]+ [0-9a-f]{16}$/);
});

// The fixtures cover every shape without openssl; where it is at hand it is asked for its opinion too.
describe.skipIf(!hasOpenssl())('openssl', () => {
  test('reads the certificate and its key usages', () => {
    const text = openssl(['x509', '-noout', '-text'], key.certificatePem).toString();

    expect(text).toContain('Version: 3');
    expect(text).toContain('sha256WithRSAEncryption');
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
  });

  test('encrypts a token for it that we open', () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-key-'));
    try {
      const path = join(folder, 'certificate.pem');
      writeFileSync(path, key.certificatePem);
      const file = openssl(
        ['cms', '-encrypt', '-binary', '-stream', '-aes-128-cbc', '-outform', 'SMIME', path],
        readFixture('message.txt'),
      );

      expect(openServerToken(file, [{ ...key, role: 'staged' }])).toEqual({
        token: fixtureToken,
        keyRole: 'staged',
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function openssl(args: string[], input: string | Buffer): Buffer {
  return execFileSync('openssl', args, { input });
}

function hasOpenssl(): boolean {
  try {
    return openssl(['version'], '').toString().startsWith('OpenSSL 3');
  } catch {
    return false;
  }
}
