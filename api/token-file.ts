import { bufferToFormData } from 'hono/utils/buffer';
import { DomainError } from '../domain/errors.ts';

export const longestTokenFile = 1024 * 1024;
/** What a multipart form may add around the file. */
export const longestTokenBody = longestTokenFile + 16 * 1024;

export const tokenFileTypes = [
  'application/pkcs7-mime',
  'application/x-pkcs7-mime',
  'application/octet-stream',
  'text/plain',
] as const;

/**
 * The uploaded `.p7m`: the body itself (also without a content type), or the field `file` of a
 * multipart form. Whether it is a token is not judged here.
 */
export async function readTokenFile(
  body: ArrayBuffer,
  contentType: string | undefined,
): Promise<Uint8Array> {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'multipart/form-data') return fileOf(await formOf(body, contentType ?? ''));
  if (type === '' || (tokenFileTypes as readonly string[]).includes(type))
    return notEmpty(new Uint8Array(body), 'body');
  throw new DomainError(
    'unsupported_media_type',
    `Send the .p7m file as it is with the content type application/octet-stream, or as the field "file" of multipart/form-data; ${type.slice(0, 100)} is not accepted.`,
  );
}

async function formOf(body: ArrayBuffer, contentType: string): Promise<FormData> {
  try {
    return await bufferToFormData(body, contentType);
  } catch {
    throw new DomainError('invalid_request', 'The multipart body cannot be read.', {
      fields: [{ path: 'body', message: 'Is not a whole multipart/form-data body.' }],
    });
  }
}

async function fileOf(form: FormData): Promise<Uint8Array> {
  const unknown = [...new Set(form.keys())].filter((name) => name !== 'file');
  if (unknown.length > 0)
    throw new DomainError('invalid_request', 'The form may hold only the field "file".', {
      fields: unknown
        .slice(0, 20)
        .map((name) => ({ path: name.slice(0, 100), message: 'There is no such field.' })),
    });
  const [file, ...more] = form.getAll('file');
  if (file === undefined || more.length > 0)
    throw new DomainError('invalid_request', 'The form must hold one field "file" with the .p7m.', {
      fields: [{ path: 'file', message: 'Must be there once.' }],
    });
  const bytes =
    typeof file === 'string' ? Buffer.from(file, 'utf8') : Buffer.from(await file.arrayBuffer());
  return notEmpty(new Uint8Array(bytes), 'file');
}

function notEmpty(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes.length > longestTokenFile)
    throw new DomainError('payload_too_large', 'A server token file may have at most 1 MiB.');
  if (bytes.length > 0) return bytes;
  throw new DomainError(
    'malformed_token',
    'The upload is empty; send the .p7m file that Apple Business Manager gave you.',
    { fields: [{ path, message: 'Is empty.' }] },
  );
}
