import { beforeEach, describe, expect, test } from 'vitest';
import { activateToken, type ActivateTokenDeps } from './activate-token.ts';
import type { Actor } from './audit.ts';
import { DomainError, type ErrorCode } from './errors.ts';
import type { Integration, TokenKey } from './integration.ts';
import type { AdeAccount, ServerToken } from './token.ts';

const now = new Date('2026-03-01T12:00:00.000Z');
const actor: Actor = { kind: 'api_key', id: 'key-1', name: 'Admin', requestId: 'req-1' };
const file = Buffer.from('what Apple gave');
const token: ServerToken = {
  consumerKey: 'CK_new',
  consumerSecret: 'CS_new',
  accessToken: 'AT_new',
  accessSecret: 'AS_new',
  expiresAt: '2027-03-01T12:00:00.000Z',
};
const account: AdeAccount = {
  serverName: 'Guard',
  serverUuid: 'SERVER-1',
  adminId: 'admin@example.com',
  organization: {
    name: 'Example',
    id: '1',
    email: null,
    phone: null,
    address: null,
    type: 'org',
    version: 'v2',
  },
  orgIdHash: 'hash-1',
  fetchLimit: 1000,
  syncLimit: 1000,
};

let stored: { integration: Integration; token: ServerToken | null };
let keys: (TokenKey & { role: 'staged' | 'current' })[];
let probed: ServerToken[];

beforeEach(() => {
  keys = [{ role: 'staged', certificatePem: 'certificate', privateKeyPem: 'private' }];
  stored = { integration: awaitingToken(), token: null };
  probed = [];
});

describe('a token is taken into use', () => {
  test('when Apple accepts it', async () => {
    const integration = await upload();

    expect(integration).toMatchObject({
      tokenState: 'valid',
      serverUuid: 'SERVER-1',
      token: { expiresAt: token.expiresAt },
    });
    expect(stored.token).toEqual(token);
    expect(probed).toEqual([token]);
    expect(keys.map((key) => key.role)).toEqual(['current']);
  });

  test('when the terms are not signed, which is a state and not a refusal', async () => {
    const integration = await upload({ probe: async () => ({ termsNotSigned: true }) });

    expect(integration.tokenState).toBe('terms_not_signed');
    expect(stored.token).toEqual(token);
  });

  test('twice, which changes nothing the second time', async () => {
    const first = await upload();
    const second = await upload();

    expect(second).toEqual(first);
    expect(stored.token).toEqual(token);
  });

  test('when it renews the token of the same server', async () => {
    await upload();
    const renewed = { ...token, consumerKey: 'CK_of_another_admin', accessToken: 'AT_2' };
    await upload({ openToken: () => ({ token: renewed, keyRole: 'current' }) });

    expect(stored.token).toEqual(renewed);
  });

  test.each<[string, string | null, string | null]>([
    ['Apple no longer tells the organization', 'hash-1', null],
    ['Apple had not told the organization before', null, 'hash-1'],
  ])('of the same server when %s', async (_, before, after) => {
    stored.integration = { ...connected(), orgIdHash: before };
    await upload({ probe: async () => ({ account: { ...account, orgIdHash: after } }) });

    expect(stored.token).toEqual(token);
  });
});

describe('a token is refused and nothing changes', () => {
  const refuse = (code: ErrorCode) => () => {
    throw new DomainError(code, 'no');
  };
  const refuseLater = (code: ErrorCode) => async () => refuse(code)();
  const expiring = (expiresAt: string): Partial<ActivateTokenDeps> => ({
    openToken: () => ({ token: { ...token, expiresAt }, keyRole: 'staged' }),
  });
  const answering = (change: Partial<AdeAccount>): Partial<ActivateTokenDeps> => ({
    probe: async () => ({ account: { ...account, ...change } }),
  });

  test.each<[string, ErrorCode, Partial<ActivateTokenDeps>]>([
    ['that cannot be read', 'malformed_token', { openToken: refuse('malformed_token') }],
    ['that is not for our key', 'wrong_key', { openToken: refuse('wrong_key') }],
    ['that has expired', 'expired_token', expiring('2026-03-01T11:59:59.000Z')],
    ['that expires now', 'expired_token', expiring('2026-03-01T12:00:00.000Z')],
    ['that a newer one replaced', 'superseded_token', { probe: refuseLater('superseded_token') }],
    ['that may not use the service', 'access_denied', { probe: refuseLater('access_denied') }],
    ['while Apple is away', 'apple_unreachable', { probe: refuseLater('apple_unreachable') }],
    ['of another server', 'different_server', answering({ serverUuid: 'SERVER-2' })],
    [
      'of another organization',
      'different_organization',
      answering({ serverUuid: 'SERVER-2', orgIdHash: 'hash-2' }),
    ],
    [
      'of a server that another integration has',
      'server_already_connected',
      { integrations: { ...store(), activateToken: refuseLater('server_already_connected') } },
    ],
  ])('%s', async (_, code, deps) => {
    stored = { integration: connected(), token: { ...token, accessToken: 'AT_old' } };
    const before = structuredClone({ stored, keys });

    await expect(upload(deps)).rejects.toMatchObject({ name: 'DomainError', code });
    expect({ stored, keys }).toEqual(before);
  });

  test('of an integration that is not there', async () => {
    const integrations = { ...store(), get: refuseLater('not_found') };

    await expect(upload({ integrations })).rejects.toMatchObject({ code: 'not_found' });
    expect(probed).toEqual([]);
  });

  test('before Apple is asked, when the file already says so', async () => {
    await expect(upload(expiring('2020-01-01T00:00:00.000Z'))).rejects.toThrow(/2020-01-01/);
    await expect(upload({ openToken: refuse('wrong_key') })).rejects.toThrow(DomainError);
    expect(probed).toEqual([]);
  });

  test('with both servers named, and no secret', async () => {
    stored.integration = connected();
    const other = answering({ serverUuid: 'SERVER-2', serverName: 'Other' });
    const error = (await upload(other).catch((thrown: unknown) => thrown)) as DomainError;

    expect(error.message).toContain('"Guard"');
    expect(error.message).toContain('"Other"');
    for (const secret of ['CK_new', 'CS_new', 'AT_new', 'AS_new'])
      expect(error.message).not.toContain(secret);
  });
});

function upload(deps: Partial<ActivateTokenDeps> = {}): Promise<Integration> {
  const all: ActivateTokenDeps = {
    integrations: store(),
    openToken: (bytes, given) => {
      expect(bytes).toBe(file);
      const key = given[0];
      if (!key) throw new DomainError('wrong_key', 'no key');
      return { token, keyRole: key.role };
    },
    probe: async (asked) => {
      probed.push(asked);
      return { account };
    },
    now: () => now,
    ...deps,
  };
  return activateToken(all, { integrationId: 'integration-1', file }, actor);
}

function store(): ActivateTokenDeps['integrations'] {
  return {
    get: async () => stored.integration,
    listKeys: async () => keys,
    activateToken: async (input) => {
      stored.token = input.token;
      keys = keys
        .filter((key) => key.certificatePem === input.certificatePem)
        .map((key) => ({ ...key, role: 'current' as const }));
      stored.integration = {
        ...stored.integration,
        tokenState: input.account ? 'valid' : 'terms_not_signed',
        token: { expiresAt: input.token.expiresAt, uploadedAt: input.now.toISOString() },
        serverUuid: input.account?.serverUuid ?? stored.integration.serverUuid,
        serverName: input.account?.serverName ?? stored.integration.serverName,
        orgIdHash: input.account?.orgIdHash ?? stored.integration.orgIdHash,
        organization: input.account?.organization ?? stored.integration.organization,
      };
      return stored.integration;
    },
  };
}

function awaitingToken(): Integration {
  return {
    id: 'integration-1',
    name: 'Head office',
    notifyEmails: [],
    pageSize: 100,
    tokenState: 'none',
    tokenStateDetail: null,
    token: null,
    pausedAt: null,
    organization: null,
    serverName: null,
    serverUuid: null,
    adminId: null,
    orgIdHash: null,
    fetchLimit: null,
    syncLimit: null,
    createdAt: '2026-02-01T00:00:00.000Z',
    updatedAt: '2026-02-01T00:00:00.000Z',
  };
}

function connected(): Integration {
  return {
    ...awaitingToken(),
    tokenState: 'valid',
    token: { expiresAt: '2026-04-01T00:00:00.000Z', uploadedAt: '2025-04-01T00:00:00.000Z' },
    serverName: account.serverName,
    serverUuid: account.serverUuid,
    orgIdHash: account.orgIdHash,
    organization: account.organization,
  };
}
