import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** An answer as it is kept for a repetition of its request. */
export interface KeptAnswer {
  status: number;
  headers: Record<string, string>;
  /** Base64. */
  body: string;
}

const cipher = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/**
 * Seals an answer under the API key that asked for it. The database holds only the hash of that key,
 * so it cannot read what it keeps, and whoever may have the answer again brings the key along.
 */
export function sealAnswer(answer: KeptAnswer, secret: string, idempotencyKey: string): Uint8Array {
  const iv = randomBytes(ivBytes);
  const sealing = createCipheriv(cipher, sealingKey(secret, idempotencyKey), iv);
  const text = Buffer.concat([sealing.update(JSON.stringify(answer), 'utf8'), sealing.final()]);
  return new Uint8Array(Buffer.concat([iv, sealing.getAuthTag(), text]));
}

/** Throws when the sealed bytes are not whole or were sealed under another key. */
export function openAnswer(sealed: Uint8Array, secret: string, idempotencyKey: string): KeptAnswer {
  const bytes = Buffer.from(sealed);
  const opening = createDecipheriv(
    cipher,
    sealingKey(secret, idempotencyKey),
    bytes.subarray(0, ivBytes),
    { authTagLength: tagBytes },
  );
  opening.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  const text = Buffer.concat([
    opening.update(bytes.subarray(ivBytes + tagBytes)),
    opening.final(),
  ]).toString('utf8');
  return JSON.parse(text) as KeptAnswer;
}

const sealingKey = (secret: string, idempotencyKey: string) =>
  Buffer.from(hkdfSync('sha256', secret, idempotencyKey, 'guardmdm kept answer', 32));
