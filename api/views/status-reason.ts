import { unreachable } from '../../domain/errors.ts';
import { integrationStatus, type Integration } from '../../domain/integration.ts';

const day = 24 * 3600 * 1000;

/** Whole days that are left of a token; 0 on its last day, negative after it. */
export function daysLeft(expiresAt: string, now: Date): number {
  return Math.floor((Date.parse(expiresAt) - now.getTime()) / day);
}

/** What the status means and what to do about it, in one sentence that names server and organization. */
export function statusReason(integration: Integration, now: Date): string {
  const server = serverName(integration);
  const portal = 'Apple Business Manager';
  const renewal = `download a new token for ${server} in ${portal} and upload it here`;
  const status = integrationStatus(integration, now);
  const left = integration.token === null ? 0 : daysLeft(integration.token.expiresAt, now);
  const expiry = integration.token?.expiresAt.slice(0, 10) ?? '';
  switch (status) {
    case 'awaiting_token':
      return `"${integration.name}" is not connected yet: upload its public key to an MDM server in ${portal}, download the server token there and upload that here.`;
    case 'active':
      return `Apple accepts the token of ${server}; it is valid until ${expiry}.`;
    case 'expiring':
      return `The token of ${server} expires on ${expiry}, in ${inDays(left)}: ${renewal}.`;
    case 'expired':
      return `The token of ${server} expired on ${expiry} and the sync has stopped; enrolled devices are not affected: ${renewal}.`;
    case 'terms_not_signed':
      return `Apple has new terms and conditions for ${organizationName(integration)}, and ${server} gets no devices until somebody with the Administrator role accepts them in ${portal}; the sync then goes on by itself.`;
    case 'token_rejected':
      return `Apple no longer accepts the token of ${server}${inApplesWords(integration)}, since it was replaced or the server was deleted: ${renewal}.`;
    case 'paused':
      return `The periodic sync of ${server} has been on hold since ${integration.pausedAt?.slice(0, 10) ?? ''}: resume it when you want it to go on.`;
    default:
      return unreachable(status);
  }
}

function serverName({ serverName, name, organization }: Integration): string {
  const server = `"${serverName ?? name}"`;
  return organization?.name == null ? server : `${server} (${organization.name})`;
}

function organizationName({ organization, name }: Integration): string {
  return organization?.name == null ? `the organization of "${name}"` : `"${organization.name}"`;
}

function inApplesWords({ tokenStateDetail }: Integration): string {
  return tokenStateDetail === null ? '' : ` (it says: ${tokenStateDetail})`;
}

const inDays = (count: number) =>
  count <= 0 ? 'less than a day' : count === 1 ? '1 day' : `${count} days`;
