import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';

/** A secret as it rests in a row: ciphertext, and the id of the key that opens it. */
export interface Sealed {
  sealed: Uint8Array;
  keyId: string;
}

/** Where a secret rests. Bound into the seal, so that a ciphertext moved to another row does not open. */
export interface SecretPlace {
  table: 'integration_keys' | 'server_tokens' | 'ade_sessions';
  rowId: string;
}

/** AES-256-GCM under the current key; what older keys have sealed still opens. */
export interface Sealer {
  currentKeyId: string;
  seal(place: SecretPlace, secret: string): Sealed;
  /** Throws when the key is not at hand or the bytes were not sealed for this place. */
  open(place: SecretPlace, sealed: Sealed): string;
}

const nonceBytes = 12;
const tagBytes = 16;

/** Keys are 32 bytes in base64: the current one, then older ones that may still have sealed something. */
export function createSealer(current: string, old: readonly string[] = []): Sealer {
  const keys = new Map([...old, current].map((key) => [keyIdOf(bytesOf(key)), bytesOf(key)]));
  const currentKey = bytesOf(current);
  const currentKeyId = keyIdOf(currentKey);

  return {
    currentKeyId,

    seal(place, secret) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', currentKey, nonce).setAAD(boundTo(place));
      const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
      return { sealed: Buffer.concat([nonce, text, cipher.getAuthTag()]), keyId: currentKeyId };
    },

    open(place, { sealed, keyId }) {
      const key = keys.get(keyId);
      if (key === undefined)
        throw new Error(
          `A secret in ${place.table} (${place.rowId}) is sealed under the key ${keyId}, which is not ` +
            'at hand. Add that key to ENCRYPTION_KEYS_OLD.',
        );
      const box = Buffer.from(sealed);
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, nonceBytes))
          .setAAD(boundTo(place))
          .setAuthTag(box.subarray(-tagBytes));
        return (
          decipher.update(box.subarray(nonceBytes, -tagBytes), undefined, 'utf8') +
          decipher.final('utf8')
        );
      } catch {
        throw new Error(
          `A secret in ${place.table} (${place.rowId}) does not open under the key ${keyId}: the row ` +
            'was changed or belongs to another place.',
        );
      }
    },
  };
}

function bytesOf(key: string): Buffer {
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length !== 32) throw new TypeError('an encryption key has 32 bytes, in base64');
  return bytes;
}

/** Tells keys apart without telling anything of them. */
function keyIdOf(key: Buffer): string {
  return createHash('sha256').update('guardmdm key id').update(key).digest('hex').slice(0, 12);
}

function boundTo({ table, rowId }: SecretPlace): Buffer {
  return Buffer.from(`${table}:${rowId}`, 'utf8');
}
