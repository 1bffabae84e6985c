import type { Hook } from '@hono/zod-openapi';
import { DomainError, type FieldError } from '../domain/errors.ts';
import type { ApiEnv } from './deps.ts';

interface Issue {
  code?: string | undefined;
  path: PropertyKey[];
  message: string;
  keys?: string[];
}

/**
 * Turns what a schema refuses into `invalid_request` with a path for each bad field: `pageSize`,
 * `notifyEmails.0`, `query.limit`. A path parameter that cannot be an id names nothing, so it is
 * `not_found`.
 */
export const refuseInvalid: Hook<unknown, ApiEnv, string, unknown> = (result) => {
  if (result.success) return;
  if (result.target === 'param')
    throw new DomainError('not_found', 'Nothing has an id or serial of this form.');
  const prefix = result.target === 'json' ? [] : [result.target];
  const fields = (result.error.issues as Issue[]).flatMap((issue) => toFields(issue, prefix));
  throw new DomainError('invalid_request', sentence(fields), { fields: fields.slice(0, 50) });
};

function toFields(issue: Issue, prefix: string[]): FieldError[] {
  const at = (...more: string[]) => [...prefix, ...issue.path.map(String), ...more].join('.');
  if (issue.code === 'unrecognized_keys')
    return (issue.keys ?? []).map((key) => ({
      path: at(key.slice(0, 100)),
      message: prefix[0] === 'query' ? 'There is no such parameter.' : 'There is no such field.',
    }));
  const message = issue.message.endsWith('received undefined') ? 'Is required' : issue.message;
  return [{ path: at() === '' ? 'body' : at(), message: message.slice(0, 300) }];
}

function sentence(fields: readonly FieldError[]): string {
  const [first, ...rest] = fields;
  if (first === undefined) return 'The request does not have the form that is described.';
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more)`;
  return `${first.path}: ${first.message}${more}`;
}
