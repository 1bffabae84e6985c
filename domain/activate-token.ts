import type { Actor } from './audit.ts';
import { DomainError } from './errors.ts';
import type { Integration, IntegrationStore, TokenKey } from './integration.ts';
import type { AdeAccount, ServerToken } from './token.ts';

export interface ActivateTokenDeps {
  integrations: Pick<IntegrationStore, 'get' | 'listKeys' | 'activateToken'>;
  /** Decrypts an uploaded file; throws `malformed_token`, `wrong_key`. */
  openToken: (
    file: Uint8Array,
    keys: readonly (TokenKey & { role: 'staged' | 'current' })[],
  ) => { token: ServerToken; keyRole: 'staged' | 'current' };
  /** Asks Apple for a session and the account; throws `superseded_token`, `access_denied`, `apple_unreachable`. */
  probe: (token: ServerToken) => Promise<{ account: AdeAccount } | { termsNotSigned: true }>;
  now: () => Date;
}

/**
 * Takes an uploaded server token into use, once Apple has accepted it and it belongs to the server and
 * organization that the integration is connected to. Unsigned terms are accepted: the token is good,
 * and downloading it has killed the one before it. Any failure leaves everything as it was, and the
 * same file may be uploaded again.
 */
export async function activateToken(
  { integrations, openToken, probe, now }: ActivateTokenDeps,
  input: { integrationId: string; file: Uint8Array },
  actor: Actor,
): Promise<Integration> {
  const { integrationId, file } = input;
  const integration = await integrations.get(integrationId);
  const keys = await integrations.listKeys(integrationId);
  const { token, keyRole } = openToken(file, keys);
  const certificatePem = keys.find((key) => key.role === keyRole)?.certificatePem ?? '';
  refuseExpired(token, now());

  const answer = await probe(token);
  const account = 'account' in answer ? answer.account : null;
  if (account) refuseForeign(integration, account);

  const replaces = integration.token;
  return integrations.activateToken(
    { integrationId, certificatePem, replaces, token, account, now: now() },
    actor,
  );
}

function refuseExpired(token: ServerToken, now: Date): void {
  if (Date.parse(token.expiresAt) > now.getTime()) return;
  throw new DomainError(
    'expired_token',
    `This token expired at ${token.expiresAt}. Download a new one for this server in Apple Business Manager and upload that.`,
  );
}

/** The organization first: a server of another organization is always another server too. */
function refuseForeign(integration: Integration, account: AdeAccount): void {
  const theirs = `"${account.serverName ?? account.serverUuid}"`;
  const ours = `"${integration.serverName ?? integration.serverUuid ?? integration.name}"`;
  const organizationDiffers =
    integration.orgIdHash !== null &&
    account.orgIdHash !== null &&
    integration.orgIdHash !== account.orgIdHash;
  if (organizationDiffers)
    throw new DomainError(
      'different_organization',
      `This token belongs to the organization "${account.organization.name ?? account.orgIdHash}", ` +
        `but this integration is connected to "${integration.organization?.name ?? integration.orgIdHash}". ` +
        `Download the token of the server ${ours} there, or make a new integration for this one.`,
    );
  if (integration.serverUuid !== null && integration.serverUuid !== account.serverUuid)
    throw new DomainError(
      'different_server',
      `This token belongs to the server ${theirs} in Apple Business Manager, but this integration is connected to ${ours}. ` +
        `Download the token of ${ours}, or make a new integration for ${theirs}.`,
    );
}
