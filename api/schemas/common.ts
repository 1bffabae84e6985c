import { z } from '@hono/zod-openapi';
import { normalizeSerial } from '../../domain/device.ts';

/** Postgres holds no NUL in a text, and nobody needs another control character in one line of it. */
const oneLine = /^[^\u0000-\u001f\u007f]*$/;

export const line = (longest: number) =>
  z.string().trim().max(longest).regex(oneLine, 'Must be one line without control characters');

export const time = z.iso.datetime().openapi({ example: '2026-11-23T09:30:00.000Z' });
export const nullableTime = time.nullable();

export const idParams = z.object({
  id: z.guid().openapi({
    param: { name: 'id', in: 'path' },
    example: '6f1f2d2c-6a54-4a0c-9d0e-0c6a1b1f9a11',
  }),
});

export const serialParams = z.object({
  serial: z
    .string()
    .max(100)
    .transform(normalizeSerial)
    .pipe(z.string().regex(/^[\x21-\x7e]{1,64}$/))
    .openapi({ param: { name: 'serial', in: 'path' }, type: 'string', example: 'C39XQ0AAJ1WL' }),
});

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `Must be a whole number from ${least} to ${most}`)
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .openapi({ type: 'integer', minimum: least, maximum: most });

export const limit = wholeNumber(1, 1000).default(100);
export const cursor = z
  .string()
  .min(1)
  .max(2000)
  .regex(oneLine)
  .optional()
  .openapi({ description: '`nextCursor` of the page before; opaque' });

/** `?limit=` and `?cursor=`, to which a list adds its filters. */
export const pageQuery = z.strictObject({ limit, cursor });

export const wait = wholeNumber(0, 60).optional().openapi({
  description: 'Seconds to wait for the end; then answers 200 if it has come, else 202',
});

export const pageOf = <S extends z.ZodType>(items: S) =>
  z.object({ items: z.array(items), nextCursor: z.string().nullable() });
