import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { AdeError } from '../apple/ade/errors.ts';
import { DomainError } from '../domain/errors.ts';
import { StaleWalkError } from '../domain/sync.ts';
import { toFailure } from './to-failure.ts';

const marker = 'MARKER-OF-A-SECRET';
const coded = (code: string) => Object.assign(new Error(marker), { code });

test.each<[string, unknown, string, boolean]>([
  ['an overtaken walk', new StaleWalkError(), 'stale_walk', true],
  ['a missing row', new DomainError('not_found', 'x'), 'not_found', false],
  [
    'a database that is away',
    new DomainError('database_unavailable', 'x'),
    'database_unavailable',
    true,
  ],
  ['a refused connection', coded('ECONNREFUSED'), 'database_unavailable', true],
  ['a server that shuts down', coded('57P01'), 'database_unavailable', true],
  ['a broken constraint', coded('23505'), 'internal_error', true],
  ['a wrapped cause', new Error(marker, { cause: coded('08006') }), 'database_unavailable', true],
  ['something that is no error', marker, 'internal_error', true],
  [
    'a refusal of Apple that nobody caught',
    new AdeError('unreachable', { endpoint: 'GET /account', status: null, detail: '' }),
    'unreachable',
    true,
  ],
])('%s', (_, error, type, retry) => {
  const failure = toFailure(error, 1);
  expect(failure).toMatchObject({ type, nonRetryable: !retry });
  expect(`${failure.message} ${failure.stack ?? ''}`).not.toContain(marker);
  expect(failure.cause).toBeUndefined();
});

test("Temporal's own failures go through", () => {
  const failure = ApplicationFailure.nonRetryable('x', 'y');
  expect(toFailure(failure, 9)).toBe(failure);
});

test('a fault of our own is not tried a sixth time, a database that is away is', () => {
  const retried = (error: unknown, attempt: number) => {
    const failure = toFailure(error, attempt);
    return failure instanceof ApplicationFailure && failure.nonRetryable === false;
  };
  const fault = new TypeError(marker);
  expect([retried(fault, 4), retried(fault, 5), retried(fault, 6)]).toEqual([true, false, false]);
  expect(retried(coded('ECONNREFUSED'), 1_000)).toBe(true);
  expect(retried(new StaleWalkError(), 1_000)).toBe(true);
});
