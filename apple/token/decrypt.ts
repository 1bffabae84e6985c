import { constants, createDecipheriv, privateDecrypt, randomBytes } from 'node:crypto';
import type { EnvelopedData, Recipient } from './enveloped-data.ts';

/**
 * The content of an envelope, or null when it does not decrypt. Why it does not is never told: an
 * answer that differed for a wrong key, a wrong padding and a wrong content would be an oracle
 * (RFC 3218, CVE-2023-46809).
 */
export function decryptContent(
  envelope: EnvelopedData,
  recipient: Recipient,
  privateKeyPem: string,
): Uint8Array | null {
  const { cipher, iv, ciphertext } = envelope;
  try {
    const key = unwrapKey(recipient.encryptedKey, privateKeyPem, cipher.keyBytes);
    const decipher = createDecipheriv(cipher.name, key, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return null;
  }
}

/**
 * RSAES-PKCS1-v1_5 by hand: Node refuses this padding for decryption or, with a newer OpenSSL, answers
 * a wrong one with random bytes. Like the latter, a wrong padding gives a random key here, so that
 * what follows does the same work (RFC 8017 §7.2.2). The length of the key is known, so the padding
 * can only stand in one place, and all of it is looked at whatever it holds.
 */
function unwrapKey(encryptedKey: Uint8Array, privateKeyPem: string, keyBytes: number): Uint8Array {
  const block = privateDecrypt(
    { key: privateKeyPem, padding: constants.RSA_NO_PADDING },
    encryptedKey,
  );
  const keyStart = block.length - keyBytes;
  let wrong = 0;
  block.subarray(0, keyStart).forEach((byte, i) => {
    if (i === 0 || i === keyStart - 1) wrong |= byte;
    else if (i === 1) wrong |= byte ^ 2;
    else wrong |= ((byte - 1) >> 8) & 1; // 1 for a zero byte
  });

  const mask = wrong === 0 ? 0xff : 0;
  const random = randomBytes(keyBytes);
  return block.subarray(keyStart).map((byte, i) => (byte & mask) | ((random[i] ?? 0) & ~mask));
}
