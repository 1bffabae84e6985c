import { describe, expect, test } from 'vitest';
import {
  type IntegrationStatus,
  integrationStatus,
  integrationStatuses,
  syncBlock,
  type TokenState,
} from './integration.ts';
import type { SyncBlock } from './sync.ts';

const now = new Date('2026-03-01T12:00:00.000Z');
const yesterday = '2026-02-28T12:00:00.000Z';
const thirtyDays = '2026-03-31T12:00:00.000Z';
const thirtyDaysAndASecond = '2026-03-31T12:00:01.000Z';
const nextYear = '2027-03-01T12:00:00.000Z';

const table: [string, TokenState, string | null, boolean, IntegrationStatus, SyncBlock | null][] = [
  ['new', 'none', null, false, 'awaiting_token', 'awaiting_token'],
  ['new and paused', 'none', null, true, 'awaiting_token', 'awaiting_token'],
  [
    'with a token that Apple was not asked about',
    'none',
    nextYear,
    false,
    'awaiting_token',
    'awaiting_token',
  ],
  ['without a token that was valid', 'valid', null, false, 'awaiting_token', 'awaiting_token'],
  ['connected', 'valid', nextYear, false, 'active', null],
  [
    'a second more than thirty days before expiry',
    'valid',
    thirtyDaysAndASecond,
    false,
    'active',
    null,
  ],
  ['thirty days before expiry', 'valid', thirtyDays, false, 'expiring', null],
  ['a millisecond before expiry', 'valid', '2026-03-01T12:00:00.001Z', false, 'expiring', null],
  ['at expiry', 'valid', now.toISOString(), false, 'expired', 'token_expired'],
  ['a day after expiry', 'valid', yesterday, false, 'expired', 'token_expired'],
  ['rejected by Apple', 'rejected', nextYear, false, 'token_rejected', 'token_rejected'],
  [
    'rejected and expired, since an expired one is rejected',
    'rejected',
    yesterday,
    false,
    'expired',
    'token_expired',
  ],
  [
    'with unsigned terms',
    'terms_not_signed',
    nextYear,
    false,
    'terms_not_signed',
    'terms_not_signed',
  ],
  [
    'with unsigned terms and expired',
    'terms_not_signed',
    yesterday,
    false,
    'expired',
    'token_expired',
  ],
  [
    'with unsigned terms and soon expired',
    'terms_not_signed',
    thirtyDays,
    false,
    'terms_not_signed',
    'terms_not_signed',
  ],
  ['paused', 'valid', nextYear, true, 'paused', 'paused'],
  ['paused and soon expired', 'valid', thirtyDays, true, 'paused', 'paused'],
  ['paused and expired', 'valid', yesterday, true, 'expired', 'token_expired'],
  ['paused and rejected', 'rejected', nextYear, true, 'token_rejected', 'token_rejected'],
  [
    'paused with unsigned terms',
    'terms_not_signed',
    nextYear,
    true,
    'terms_not_signed',
    'terms_not_signed',
  ],
];

describe('an integration that is', () => {
  test.each(table)('%s', (_, tokenState, expiresAt, paused, status, block) => {
    const integration = {
      tokenState,
      token: expiresAt === null ? null : { expiresAt, uploadedAt: yesterday },
      pausedAt: paused ? yesterday : null,
    };

    expect(integrationStatus(integration, now)).toBe(status);
    expect(syncBlock(integration, now)).toBe(block);
  });
});

test('the table above meets every status', () => {
  expect(new Set(table.map((row) => row[4]))).toEqual(new Set(integrationStatuses));
});
