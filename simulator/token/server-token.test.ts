import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CertificateRefused, readCertificate } from './certificate.ts';
import { asApplePackages, mintToken, packageToken, type PackageOptions } from './server-token.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const openssl = describe.skipIf(!hasOpenssl);

openssl('a token packaged for a certificate that openssl made', () => {
  let folder = '';
  const file = (name: string) => join(folder, name);
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-'));
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=mdm/O=Ünit'];
    for (const name of ['ours', 'other']) {
      execFileSync(
        'openssl',
        [...request, '-utf8', '-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)],
        { stdio: 'ignore' },
      );
    }
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const token = mintToken('admin@example.org', 1_737_111_741_000, 1_768_647_741, null);
  const pack = (options: Partial<PackageOptions>) => {
    const certificate = readCertificate(readFileSync(file('ours.pem'), 'utf8'));
    return packageToken(token, certificate, { ...asApplePackages, ...options });
  };
  const decrypt = (bytes: Buffer, form: string, key = 'ours') => {
    writeFileSync(file('token.p7m'), bytes);
    const names = ['-in', file('token.p7m'), '-recip', file(`${key}.pem`), '-inkey'];
    return spawnSync('openssl', [
      ...['cms', '-decrypt', '-inform', form],
      ...[...names, file(`${key}.key`)],
    ]);
  };

  test.each<[string, Partial<PackageOptions>, string]>([
    ['as Apple sends it', {}, 'SMIME'],
    ['in chunks', { chunkBytes: 100 }, 'SMIME'],
    ['with CRLF line ends', { lineEnd: 'crlf' }, 'SMIME'],
    ['under triple DES', { cipher: 'des-ede3-cbc' }, 'SMIME'],
    ['as bare BER', { form: 'raw' }, 'DER'],
    ['as bare DER', { form: 'raw', encoding: 'der' }, 'DER'],
  ])('opens with its key %s', (_, options, form) => {
    const opened = decrypt(pack(options), form);

    expect(opened.stderr.toString()).toBe('');
    const text = opened.stdout.toString();
    expect(text).toContain('-----BEGIN MESSAGE-----\n{');
    expect(JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))).toEqual({
      consumer_key: token.consumerKey,
      consumer_secret: token.consumerSecret,
      access_token: token.accessToken,
      access_secret: token.accessSecret,
      access_token_expiry: '2026-01-17T11:02:21Z',
    });
  });

  test('names its recipient by issuer and serial number, under aes-128-cbc and rsaEncryption', () => {
    writeFileSync(file('token.p7m'), pack({}));
    const dump = execFileSync('openssl', [
      ...['cms', '-cmsout', '-print', '-inform', 'SMIME', '-in', file('token.p7m')],
    ]).toString();

    expect(dump).toMatch(/d\.issuerAndSerialNumber/);
    expect(dump).toMatch(/algorithm: rsaEncryption/);
    expect(dump).toMatch(/algorithm: aes-128-cbc/);
  });

  test('does not open for another certificate', () => {
    expect(decrypt(pack({}), 'SMIME', 'other').status).not.toBe(0);
  });

  test('does not open when it was encrypted for a wrong key', () => {
    const opened = decrypt(pack({ wrongKey: true }), 'SMIME');
    expect(opened.stdout.toString()).not.toContain('consumer_key');
  });
});

test('the file begins like the ones from the portal and keeps to 76 columns', () => {
  const certificate = readCertificate(
    readFileSync(new URL('fixtures/server.pem', import.meta.url), 'utf8'),
  );
  const token = mintToken('admin@example.org', 1_737_111_741_000, 1_768_647_741, null);
  const text = packageToken(token, certificate, asApplePackages).toString();

  const [headers = '', body = ''] = text.split('\n\n');
  expect(headers).toContain('Content-Type: application/pkcs7-mime; name="smime.p7m"');
  expect(body.startsWith('MIAGCSqGSIb3DQEHA6CA')).toBe(true);
  expect(Math.max(...body.split('\n').map((line) => line.length))).toBe(76);
});

test('the secrets look like real ones', () => {
  const token = mintToken('admin@example.org', 1_737_111_741_000, 1_768_647_741, null);

  expect(token.consumerKey).toMatch(/^CK_[0-9a-f]{96}$/);
  expect(token.consumerSecret).toMatch(/^CS_[0-9a-f]{40}$/);
  expect(token.accessToken).toMatch(/^AT_O\d{10}O[0-9a-f]{40}O\d{13}$/);
  expect(token.accessSecret).toMatch(/^AS_[0-9a-f]{40}$/);
});

test('the consumer key stays when the same admin downloads again and changes with the admin', () => {
  const first = mintToken('a@example.org', 1, 2, null);

  expect(mintToken('a@example.org', 1, 2, first).consumerKey).toBe(first.consumerKey);
  expect(mintToken('a@example.org', 1, 2, first).accessToken).not.toBe(first.accessToken);
  expect(mintToken('b@example.org', 1, 2, first).consumerKey).not.toBe(first.consumerKey);
});

test.each([
  ['text', 'hello'],
  ['a torn certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'],
])('a certificate upload of %s is refused', (_, pem) => {
  expect(() => readCertificate(pem)).toThrow(CertificateRefused);
});

test('a certificate with an EC key is refused', () => {
  const pem = readFileSync(new URL('fixtures/ec.pem', import.meta.url), 'utf8');
  expect(() => readCertificate(pem)).toThrow('RSA key of at least 2048 bits');
});
