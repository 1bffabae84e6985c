import {
  constants,
  createCipheriv,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import type { ServerCertificate } from './certificate.ts';
import { indefinite, objectId, tagged } from './der.ts';

const ENVELOPED_DATA = '1.2.840.113549.1.7.3';
const DATA = '1.2.840.113549.1.7.1';
const RSA_ENCRYPTION = '1.2.840.113549.1.1.1';
const ciphers = {
  'aes-128-cbc': { oid: '2.16.840.1.101.3.4.1.2', keyBytes: 16, ivBytes: 16 },
  'des-ede3-cbc': { oid: '1.2.840.113549.3.7', keyBytes: 24, ivBytes: 8 },
} as const;

export interface EnvelopeOptions {
  cipher: keyof typeof ciphers;
  /** Indefinite lengths and chunked content as Apple sends them, or plain DER. */
  encoding: 'ber' | 'der';
  chunkBytes: number;
  /** Encrypts for a key that nobody has, though the recipient is named rightly. */
  wrongKey: boolean;
}

/**
 * CMS EnvelopedData for one recipient, named by issuer and serial number, its key under
 * RSAES-PKCS1-v1_5: RFC 5652 §6, in the layout of the tokens that the portal hands out.
 */
export function envelope(
  content: Buffer,
  recipient: ServerCertificate,
  options: EnvelopeOptions,
): Buffer {
  const cipher = ciphers[options.cipher];
  const key = randomBytes(cipher.keyBytes);
  const iv = randomBytes(cipher.ivBytes);
  const encryptor = createCipheriv(options.cipher, key, iv);
  const encrypted = Buffer.concat([encryptor.update(content), encryptor.final()]);

  const rsa: KeyObject = options.wrongKey
    ? generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey
    : recipient.publicKey;
  const encryptedKey = publicEncrypt({ key: rsa, padding: constants.RSA_PKCS1_PADDING }, key);

  const version = tagged(0x02, Buffer.from([0]));
  const recipients = tagged(
    0x31,
    tagged(
      0x30,
      version,
      tagged(0x30, recipient.issuer, recipient.serialNumber),
      tagged(0x30, objectId(RSA_ENCRYPTION), tagged(0x05)),
      tagged(0x04, encryptedKey),
    ),
  );
  const algorithm = tagged(0x30, objectId(cipher.oid), tagged(0x04, iv));

  if (options.encoding === 'der') {
    const info = tagged(0x30, objectId(DATA), algorithm, tagged(0x80, encrypted));
    const body = tagged(0x30, version, recipients, info);
    return tagged(0x30, objectId(ENVELOPED_DATA), tagged(0xa0, body));
  }
  const chunks: Buffer[] = [];
  for (let at = 0; at < encrypted.length; at += options.chunkBytes) {
    chunks.push(tagged(0x04, encrypted.subarray(at, at + options.chunkBytes)));
  }
  const info = indefinite(0x30, objectId(DATA), algorithm, indefinite(0xa0, ...chunks));
  const body = indefinite(0x30, version, recipients, info);
  return indefinite(0x30, objectId(ENVELOPED_DATA), indefinite(0xa0, body));
}
