import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { ServerCertificate } from './certificate.ts';
import { envelope } from './cms.ts';
import { isoSeconds } from '../clock.ts';

/** The four secrets of a server token and when it dies (seconds since 1970). */
export interface ServerToken {
  consumerKey: string;
  consumerSecret: string;
  accessToken: string;
  accessSecret: string;
  expiresAt: number;
  /** Apple Account of the person who downloaded it. */
  admin: string;
}

const hex = (bytes: number) => randomBytes(bytes).toString('hex');

/** `previous` keeps its consumer key, as long as the same person downloads again. */
export function mintToken(
  admin: string,
  nowMs: number,
  expiresAt: number,
  previous: ServerToken | null,
): ServerToken {
  const sameAdmin = previous?.admin === admin;
  const digits = String(randomBytes(4).readUInt32BE()).padStart(10, '0');
  return {
    consumerKey: sameAdmin ? previous.consumerKey : `CK_${hex(48)}`,
    consumerSecret: sameAdmin ? previous.consumerSecret : `CS_${hex(20)}`,
    accessToken: `AT_O${digits}O${hex(20)}O${nowMs}`,
    accessSecret: `AS_${hex(20)}`,
    expiresAt,
    admin,
  };
}

/** How a token file is built. The defaults are Apple's way; the rest is what else a reader may meet. */
export const packageOptions = z.strictObject({
  cipher: z.enum(['aes-128-cbc', 'des-ede3-cbc']).default('aes-128-cbc'),
  encoding: z.enum(['ber', 'der']).default('ber'),
  chunkBytes: z.int().min(1).max(65_536).default(512),
  wrongKey: z.boolean().default(false),
  /** S/MIME text as the portal sends it, its base64 alone, or the CMS bytes alone. */
  form: z.enum(['smime', 'base64', 'raw']).default('smime'),
  lineEnd: z.enum(['lf', 'crlf']).default('lf'),
  /** Cuts the first header in mid-word, as Apple's own sample does. */
  foldedHeader: z.boolean().default(false),
  byteOrderMark: z.boolean().default(false),
  markers: z.boolean().default(true),
  /** Cuts the JSON over lines of so many characters; 0 leaves it on one. */
  wrapJsonAt: z.int().min(0).max(1000).default(0),
});

export type PackageOptions = z.infer<typeof packageOptions>;

export const asApplePackages: PackageOptions = packageOptions.parse({});

/** The `.p7m` file of a token. */
export function packageToken(
  token: ServerToken,
  recipient: ServerCertificate,
  options: PackageOptions,
): Buffer {
  const cms = envelope(innerMessage(token, options), recipient, options);
  if (options.form === 'raw') return cms;
  const base64 = (cms.toString('base64').match(/.{1,76}/g) ?? []).join('\n');
  const name = options.foldedHeader
    ? 'Content-Type: application/pkcs7-mime; name="smime.p7m"; smime-type=envelo\n ped-data'
    : 'Content-Type: application/pkcs7-mime; name="smime.p7m"; smime-type=enveloped-data';
  const headers = [
    name,
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename="smime.p7m"',
    'Content-Description: S/MIME Encrypted Message',
    '',
    '',
  ].join('\n');
  let text = `${options.form === 'smime' ? headers : ''}${base64}\n`;
  if (options.lineEnd === 'crlf') text = text.replaceAll('\n', '\r\n');
  return Buffer.from((options.byteOrderMark ? '\ufeff' : '') + text);
}

function innerMessage(token: ServerToken, options: PackageOptions): Buffer {
  let json = JSON.stringify({
    consumer_key: token.consumerKey,
    consumer_secret: token.consumerSecret,
    access_token: token.accessToken,
    access_secret: token.accessSecret,
    access_token_expiry: isoSeconds(token.expiresAt),
  });
  if (options.wrapJsonAt > 0) {
    json = (json.match(new RegExp(`.{1,${options.wrapJsonAt}}`, 'g')) ?? []).join('\n');
  }
  const message = options.markers
    ? `-----BEGIN MESSAGE-----\n${json}\n-----END MESSAGE-----\n`
    : `${json}\n`;
  const headers =
    'Content-Type: text/plain;charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n';
  return Buffer.from(headers + message);
}
