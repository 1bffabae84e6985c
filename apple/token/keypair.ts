import { generateKeyPair, randomBytes, sign } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';
import type { TokenKey } from '../../domain/integration.ts';

const generate = promisify(generateKeyPair);
const signAsync = promisify(sign);

const backdatedMs = 10 * 60 * 1000;
const validYears = 10;

/**
 * An RSA-2048 pair and its self-signed certificate, the file that an admin gives to ABM. Apple takes
 * nothing from it but the key, issuer and serial number; the random serial tells which pair a token
 * is made for. `name` shows up in the subject.
 * https://developer.apple.com/documentation/devicemanagement/authenticating-with-a-device-assignment-server
 */
export async function createTokenKey({
  name,
  now,
}: {
  name: string;
  now: Date;
}): Promise<TokenKey> {
  const { publicKey, privateKey } = await generate('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(publicKey);
  certificate.serialNumber = createSerial();
  certificate.validity.notBefore = new Date(now.getTime() - backdatedMs);
  certificate.validity.notAfter = new Date(now);
  certificate.validity.notAfter.setUTCFullYear(now.getUTCFullYear() + validYears);
  const subject = [
    {
      name: 'commonName',
      value: commonName(name, certificate.serialNumber),
      valueTagClass: forge.asn1.Type.UTF8 as unknown as forge.asn1.Class, // mistyped by its types
    },
  ];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
  ]);

  // forge's own signature takes tens of milliseconds of the event loop, so it only lays the parts out.
  const unsigned = { sign: () => '' } as unknown as forge.pki.rsa.PrivateKey;
  certificate.sign(unsigned, forge.md.sha256.create());
  const toBeSigned = forge.asn1.toDer(certificate.tbsCertificate).getBytes();
  const signature = await signAsync('sha256', Buffer.from(toBeSigned, 'latin1'), privateKey);
  certificate.signature = signature.toString('latin1');

  return {
    certificatePem: forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n'),
    privateKeyPem: privateKey,
  };
}

/** 16 bytes, positive and without a leading zero. */
function createSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** ASCII and at most 64 characters (RFC 5280, ub-common-name), made unique by the serial number. */
function commonName(name: string, serial: string): string {
  const ascii = name
    .normalize('NFKD')
    .replace(/[^\x20-\x7e]/g, '')
    .trim();
  return `${ascii.slice(0, 40).trim() || 'MDM server'} ${serial.slice(0, 16)}`;
}
