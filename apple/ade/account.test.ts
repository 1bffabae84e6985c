import { expect, test } from 'vitest';
import { readAccountReply } from './account.ts';
import type { WireAccount } from './wire.ts';

const account: WireAccount = {
  server_name: 'Our MDM',
  server_uuid: '677CF0F3A6E34A9C8E7E37C2E7B0A1B2',
  admin_id: 'admin@example.com',
  facilitator_id: 'old@example.com',
  org_name: 'Example Inc.',
  org_email: 'it@example.com',
  org_phone: '+1 555 0100',
  org_address: '1 Example Way',
  org_id: '1234',
  org_id_hash: 'ab'.repeat(32),
  org_type: 'org',
  org_version: 'v2',
  urls: [
    { uri: '/session', http_method: ['GET'] },
    { uri: '/server/devices', http_method: ['POST'], limit: { default: 1000, maximum: 900 } },
    { uri: 'https://mdmenrollment.apple.com/devices/sync/', limit: { maximum: 800 } },
  ],
};

test('says whose server the token belongs to and how large a page may be', () => {
  expect(readAccountReply(account)).toEqual({
    serverName: 'Our MDM',
    serverUuid: '677CF0F3A6E34A9C8E7E37C2E7B0A1B2',
    adminId: 'admin@example.com',
    organization: {
      name: 'Example Inc.',
      id: '1234',
      email: 'it@example.com',
      phone: '+1 555 0100',
      address: '1 Example Way',
      type: 'org',
      version: 'v2',
    },
    orgIdHash: 'ab'.repeat(32),
    fetchLimit: 900,
    syncLimit: 800,
  });
});

test.each([undefined, null, '', 7])('without a server uuid (%j) it is no account', (uuid) => {
  expect(() => readAccountReply({ ...account, server_uuid: uuid })).toThrow(
    expect.objectContaining({ field: 'server_uuid' }),
  );
});

test('everything else may be missing', () => {
  const nothing = { name: null, id: null, email: null, phone: null, address: null };
  expect(readAccountReply({ server_uuid: 'X' })).toEqual({
    serverName: null,
    serverUuid: 'X',
    adminId: null,
    organization: { ...nothing, type: null, version: null },
    orgIdHash: null,
    fetchLimit: null,
    syncLimit: null,
  });
});

test('the deprecated name of the admin stands in for the new one', () => {
  expect(readAccountReply({ ...account, admin_id: '' }).adminId).toBe('old@example.com');
});

test.each([
  null,
  'x',
  {},
  [null, 7],
  [{ uri: '/server/devices' }],
  [{ uri: '/server/devices', limit: { maximum: 0 } }],
  [{ uri: '/server/devices', limit: { maximum: '1000' } }],
  [{ uri: '/v2/server/devices', limit: { maximum: 5 } }],
  [{ limit: { maximum: 5 } }],
])('advertises no limit with %j', (urls) => {
  expect(readAccountReply({ ...account, urls }).fetchLimit).toBeNull();
});
