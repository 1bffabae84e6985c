import {
  BerError,
  type BerElement,
  implicitOctets,
  integerHex,
  isUniversal,
  members,
  octets,
  oidHex,
  readBer,
} from './ber.ts';

/** How the content is encrypted: node's name of the cipher, and its sizes in bytes. */
interface ContentCipher {
  name: string;
  keyBytes: number;
  ivBytes: number;
}

/** A recipient by issuer and serial number whose content key is wrapped with RSAES-PKCS1-v1_5. */
export interface Recipient {
  issuer: BerElement;
  serial: string;
  encryptedKey: Uint8Array;
}

export interface EnvelopedData {
  recipients: Recipient[];
  cipher: ContentCipher;
  iv: Uint8Array;
  ciphertext: Uint8Array;
}

const contentTypes: Record<string, string> = {
  '2a864886f70d010701': 'unencrypted data',
  '2a864886f70d010702': 'signed data',
  '2a864886f70d010705': 'digested data',
  '2a864886f70d010706': 'encrypted data without a recipient',
};
const envelopedDataOid = '2a864886f70d010703';
const rsaEncryptionOid = '2a864886f70d010101';

// Apple sends AES-128 today and sent 3DES before; the other two cost a line each.
const ciphers: Record<string, ContentCipher> = {
  '608648016503040102': { name: 'aes-128-cbc', keyBytes: 16, ivBytes: 16 },
  '608648016503040116': { name: 'aes-192-cbc', keyBytes: 24, ivBytes: 16 },
  '60864801650304012a': { name: 'aes-256-cbc', keyBytes: 32, ivBytes: 16 },
  '2a864886f70d0307': { name: 'des-ede3-cbc', keyBytes: 24, ivBytes: 8 },
};

/**
 * Reads the CMS structure of a server token (RFC 5652 §6.1), BER or DER. Recipients of kinds that
 * Apple does not use are left out. Throws `BerError`.
 */
export function readEnvelopedData(bytes: Uint8Array): EnvelopedData {
  const [type, explicit] = members(readBer(bytes), 'sequence');
  const typeOid = oidHex(type);
  if (typeOid !== envelopedDataOid)
    throw new BerError(`it holds ${contentTypes[typeOid] ?? 'another kind of message'}`);
  const [content] = explicit && isContext(explicit, 0) ? explicit.children : [];

  const fields = members(content, 'sequence').slice(1);
  if (fields[0] && isContext(fields[0], 0)) fields.shift(); // originatorInfo
  const [recipientInfos, encryptedContentInfo] = fields;

  const [, algorithm, encrypted] = members(encryptedContentInfo, 'sequence');
  const [cipherOid, parameters] = members(algorithm, 'sequence');
  const cipher = ciphers[oidHex(cipherOid)];
  if (!cipher) throw new BerError('its content is encrypted with a cipher that is not supported');
  const iv = octets(parameters);
  if (iv.length !== cipher.ivBytes) throw new BerError('its initialization vector is wrong');
  if (!encrypted || !isContext(encrypted, 0)) throw new BerError('it has no content');

  return {
    recipients: members(recipientInfos, 'set').flatMap(readRecipient),
    cipher,
    iv,
    ciphertext: implicitOctets(encrypted),
  };
}

function readRecipient(info: BerElement): Recipient[] {
  if (!isUniversal(info, 'sequence')) return []; // key agreement, KEK, password
  const [, id, algorithm, encryptedKey] = members(info, 'sequence');
  if (!id || !isUniversal(id, 'sequence')) return []; // by subject key identifier
  const [issuer, serial] = members(id, 'sequence');
  members(issuer, 'sequence');
  const [algorithmOid] = members(algorithm, 'sequence');
  if (!issuer || oidHex(algorithmOid) !== rsaEncryptionOid) return [];
  return [{ issuer, serial: integerHex(serial), encryptedKey: octets(encryptedKey) }];
}

function isContext(element: BerElement, tag: number): boolean {
  return element.tagClass === 'context' && element.tag === tag;
}

export interface CertificateId {
  issuer: BerElement;
  serial: string;
}

/** What a recipient is found by, read from a certificate in PEM. Throws `BerError`. */
export function readCertificateId(certificatePem: string): CertificateId {
  const base64 = /-----BEGIN CERTIFICATE-----([^-]+)-----END/.exec(certificatePem)?.[1] ?? '';
  const [toBeSigned] = members(readBer(Buffer.from(base64, 'base64')), 'sequence');
  const fields = members(toBeSigned, 'sequence');
  if (fields[0] && isContext(fields[0], 0)) fields.shift(); // version
  const [serial, , issuer] = fields;
  members(issuer, 'sequence');
  if (!issuer) throw new BerError('no issuer');
  return { issuer, serial: integerHex(serial) };
}

export function isSameId(a: CertificateId, b: CertificateId): boolean {
  return a.serial === b.serial && isSameName(a.issuer, b.issuer);
}

// PrintableString, IA5String, UTF8String and so on: who copies a name may write it in another one.
const stringTags = [12, 19, 20, 22];

function isSameName(a: BerElement, b: BerElement): boolean {
  const sameTag = a.tag === b.tag || [a, b].every((element) => stringTags.includes(element.tag));
  if (!sameTag || a.tagClass !== b.tagClass || a.constructed !== b.constructed) return false;
  if (!a.constructed) return Buffer.compare(a.content, b.content) === 0;
  if (a.children.length !== b.children.length) return false;
  return a.children.every((child, i) => {
    const other = b.children[i];
    return other !== undefined && isSameName(child, other);
  });
}
