import { malformedToken } from './malformed-token.ts';

/** Apple's files have 1.5 kB; whoever sends a megabyte sends something else. */
export const maxTokenFileBytes = 1024 * 1024;

/**
 * The CMS bytes in an uploaded file: S/MIME as Apple hands it out (RFC 8551 §3.2), what mail programs,
 * editors and browsers make of it, bare base64, PEM, or CMS itself. Throws `malformed_token`.
 */
export function readSmime(file: Uint8Array): Uint8Array {
  if (file.length > maxTokenFileBytes)
    throw malformedToken('it is larger than 1 MiB, a token file has about 2 kB');
  if (isCms(file)) return file;

  const text = decodeText(file).replace(/\r\n?/g, '\n').trim();
  if (text === '') throw malformedToken('it is empty');
  refuseOtherFiles(text);

  const body = withoutArmor(hasHeaders(text) ? readBody(text) : text).replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) throw malformedToken('its content is not base64');
  const bytes = Buffer.from(body, 'base64');
  if (bytes[0] === 0x7b)
    throw malformedToken('it looks like a content token for Apps and Books, which is another file');
  return bytes;
}

/** A SEQUENCE with a long or indefinite length; as text it would be a zero and a non-ASCII letter. */
function isCms(bytes: Uint8Array): boolean {
  return bytes[0] === 0x30 && (bytes[1] ?? 0) >= 0x80;
}

/** Windows editors and shells save as UTF-16 or put a byte order mark in front. */
function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder().decode(bytes);
}

function refuseOtherFiles(text: string): void {
  if (/^-----BEGIN [A-Z ]*(CERTIFICATE|KEY)/.test(text))
    throw malformedToken('it is a certificate or a key, which is what goes to Apple');
  if (/^(<|%PDF|PK)/.test(text)) throw malformedToken('it is a web page or a document');
  if (text.startsWith('{') || text.includes('-----BEGIN MESSAGE-----'))
    throw malformedToken('it is decrypted already');
}

function hasHeaders(text: string): boolean {
  return /^[!-9;-~]+[ \t]*:/.test(text);
}

/**
 * What follows the first blank line. Headers decide nothing but this: names and parameters differ
 * between Apple, mail programs and openssl, and Apple's own sample is folded in the middle of a word.
 */
function readBody(text: string): string {
  const blankLine = /\n[ \t]*\n/.exec(text);
  if (!blankLine) throw malformedToken('no empty line divides its headers from its content');
  const headers = text.slice(0, blankLine.index).replace(/\s+/g, '').toLowerCase();
  if (headers.includes('content-type:multipart/'))
    throw malformedToken('it is a whole mail, save its attachment instead');
  if (headers.includes('content-transfer-encoding:quoted-printable'))
    throw malformedToken('a mail program has re-encoded it');
  return text.slice(blankLine.index);
}

function withoutArmor(text: string): string {
  const armored = /^\s*-----BEGIN (PKCS7|CMS)-----([^-]*)-----END \1-----\s*$/.exec(text);
  return armored?.[2] ?? text;
}
