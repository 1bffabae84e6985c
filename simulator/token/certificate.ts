import { X509Certificate, type KeyObject } from 'node:crypto';
import { readValues } from './der.ts';

/** What the portal keeps of an uploaded certificate. Apple uses it as the carrier of a key, no more. */
export interface ServerCertificate {
  pem: string;
  publicKey: KeyObject;
  /** DER, byte for byte as in the certificate: a reader matches the token to its key by these. */
  issuer: Buffer;
  serialNumber: Buffer;
}

/** The reason is for the person who uploaded the file. */
export class CertificateRefused extends Error {}

/** Reads an uploaded PEM. Throws `CertificateRefused`. */
export function readCertificate(pem: string): ServerCertificate {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw new CertificateRefused('The file is not a certificate in PEM form (.pem).');
  }
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw new CertificateRefused('The certificate cannot be read.');
  }
  const { publicKey } = certificate;
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  if (publicKey.asymmetricKeyType !== 'rsa' || bits < 2048) {
    throw new CertificateRefused('The certificate needs an RSA key of at least 2048 bits.');
  }
  return { pem: certificate.toString(), publicKey, ...issuerAndSerialNumber(certificate.raw) };
}

function issuerAndSerialNumber(der: Buffer): { issuer: Buffer; serialNumber: Buffer } {
  const signed = readValues(der)[0];
  const body = signed && readValues(signed.content)[0];
  const fields = body ? readValues(body.content) : [];
  // version [0] EXPLICIT is left out of version 1 certificates
  const from = fields[0]?.tag === 0xa0 ? 1 : 0;
  const serialNumber = fields[from];
  const issuer = fields[from + 2];
  if (serialNumber === undefined || issuer === undefined) {
    throw new CertificateRefused('The certificate cannot be read.');
  }
  return { issuer: issuer.whole, serialNumber: serialNumber.whole };
}
