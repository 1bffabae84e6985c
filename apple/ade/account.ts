import type { AdeAccount } from '../../domain/token.ts';
import type { AdeRequest } from './exchange.ts';
import { isObject, readPositiveInteger, readText, requireObject, requireText } from './shape.ts';

/** https://developer.apple.com/documentation/devicemanagement/account-detail */
export function accountRequest(): AdeRequest {
  return { endpoint: 'GET /account' };
}

/** https://developer.apple.com/documentation/devicemanagement/accountdetail */
export function readAccountReply(body: unknown): AdeAccount {
  const reply = requireObject(body, 'the body');
  return {
    serverName: readText(reply['server_name']),
    serverUuid: requireText(reply['server_uuid'], 'server_uuid'),
    adminId: readText(reply['admin_id']) ?? readText(reply['facilitator_id']),
    organization: {
      name: readText(reply['org_name']),
      id: readText(reply['org_id']),
      email: readText(reply['org_email']),
      phone: readText(reply['org_phone']),
      address: readText(reply['org_address']),
      type: readText(reply['org_type']),
      version: readText(reply['org_version']),
    },
    orgIdHash: readText(reply['org_id_hash']),
    fetchLimit: readLimit(reply['urls'], '/server/devices'),
    syncLimit: readLimit(reply['urls'], '/devices/sync'),
  };
}

/** `urls: [{uri, limit?: {default, maximum}}]`; a uri may come as a path or as a whole address. */
function readLimit(urls: unknown, path: string): number | null {
  if (!Array.isArray(urls)) return null;
  for (const entry of urls as unknown[]) {
    if (!isObject(entry) || !isObject(entry['limit'])) continue;
    const uri = readText(entry['uri']) ?? '';
    const isOurs = uri.replace(/^https?:\/\/[^/]+/, '').replace(/\/$/, '') === path;
    const maximum = isOurs ? readPositiveInteger(entry['limit']['maximum']) : null;
    if (maximum !== null) return maximum;
  }
  return null;
}
