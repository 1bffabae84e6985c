import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { DomainError } from '../../domain/errors.ts';
import type { ApiEnv } from '../deps.ts';

/** Refuses a body of more than so many bytes, announced or not, before it is held in memory. */
export function bodyCap(bytes: number): MiddlewareHandler<ApiEnv> {
  return bodyLimit({
    maxSize: bytes,
    onError: () => {
      throw new DomainError('payload_too_large', `The body may have at most ${bytes} bytes.`);
    },
  });
}
