import { DomainError } from '../../domain/errors.ts';
import type { TokenKey } from '../../domain/integration.ts';
import type { ServerToken } from '../../domain/token.ts';
import { BerError } from './ber.ts';
import { decryptContent } from './decrypt.ts';
import {
  type EnvelopedData,
  isSameId,
  readCertificateId,
  readEnvelopedData,
  type Recipient,
} from './enveloped-data.ts';
import { malformedToken } from './malformed-token.ts';
import { readSmime } from './smime.ts';
import { readTokenMessage } from './token-message.ts';

export type KeyRole = 'staged' | 'current';

/**
 * Opens the server token file that ABM hands out, with the first of `keys` that it is made for.
 * Throws `malformed_token` and `wrong_key`. Everything that fails from the decryption to the JSON in
 * it fails with one and the same message, see `decryptContent`.
 * https://developer.apple.com/documentation/devicemanagement/examining-server-tokens
 */
export function openServerToken(
  bytes: Uint8Array,
  keys: readonly (TokenKey & { role: KeyRole })[],
): { token: ServerToken; keyRole: KeyRole } {
  const envelope = readEnvelope(readSmime(bytes));

  // One recipient a key at most: a file with a thousand of them costs no thousand decryptions.
  const matches = keys.flatMap((key) => {
    const id = readCertificateId(key.certificatePem);
    const recipient = envelope.recipients.find((each) => isSameId(each, id));
    return recipient ? [{ key, recipient }] : [];
  });
  if (matches.length === 0) throw wrongKey(envelope.recipients, keys);

  for (const { key, recipient } of matches) {
    const content = decryptContent(envelope, recipient, key.privateKeyPem);
    const message = content === null ? { unreadable: true } : readTokenMessage(content);
    if ('token' in message) return { token: message.token, keyRole: key.role };
    if ('problems' in message)
      throw malformedToken('what it holds is not a server token', { fields: message.problems });
  }
  throw malformedToken('its content cannot be decrypted, so it was damaged on its way');
}

function readEnvelope(cms: Uint8Array): EnvelopedData {
  try {
    return readEnvelopedData(cms);
  } catch (error) {
    if (!(error instanceof BerError)) throw error;
    const detail = error.message.startsWith('it')
      ? error.message
      : `it is cut off or damaged (${error.message})`;
    throw malformedToken(detail, { cause: error });
  }
}

function wrongKey(
  recipients: readonly Recipient[],
  keys: readonly (TokenKey & { role: KeyRole })[],
): DomainError {
  const theirs = recipients.map(({ serial }) => serial.slice(0, 40)).slice(0, 3);
  const ours = keys.map((key) => readCertificateId(key.certificatePem).serial);
  return new DomainError(
    'wrong_key',
    'This token was made for the certificate of another integration or another MDM ' +
      `(serial number ${theirs.join(', ') || 'unknown'}; ours: ${ours.join(', ') || 'none'}). ` +
      "Upload this integration's public key to its server in Apple Business Manager, " +
      'then download a new token there and upload that.',
  );
}
