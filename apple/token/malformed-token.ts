import { DomainError, type FieldError } from '../../domain/errors.ts';

/** `detail` completes "This is not a server token file that we can read: …" and holds no secret. */
export function malformedToken(
  detail: string,
  options: { fields?: readonly FieldError[]; cause?: unknown } = {},
): DomainError {
  return new DomainError(
    'malformed_token',
    `This is not a server token file that we can read: ${detail}. ` +
      'Upload the .p7m file unchanged, as "Download Token" in Apple Business Manager gave it.',
    options,
  );
}
