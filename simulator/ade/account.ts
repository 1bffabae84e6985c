import type { WireAccount, WireSession } from '../../apple/ade/wire.ts';
import type { Call, Endpoint } from './call.ts';
import { verifyOAuth } from './oauth1.ts';

/** https://developer.apple.com/documentation/devicemanagement/authenticating-with-a-device-management-service */
export const session: Endpoint = {
  name: 'session',
  admit: (world, request, url) =>
    verifyOAuth(world, request.method, url, request.headers.get('authorization')),
  answer({ world, server }): WireSession {
    if (!world.options.parallelSessions) world.sessions.endAll(server.uuid);
    return { auth_session_token: world.sessions.open(server.uuid, world.clock.ms()).token };
  },
};

/** https://developer.apple.com/documentation/devicemanagement/get-account-detail */
export const account: Endpoint = { name: 'account', answer: describeAccount };

function describeAccount({ server, version }: Call): WireAccount {
  const { organization } = server;
  const admin = server.token?.admin ?? organization.admin;
  const basic: WireAccount = {
    server_name: server.name,
    server_uuid: server.uuid,
    admin_id: admin,
    facilitator_id: admin,
    org_name: organization.name,
    org_email: organization.email,
    org_phone: '+1 555 0100',
    org_address: '1 Example Way, Springfield',
  };
  if (version < 3) return basic;
  const limit = { default: 1000, maximum: 1000 };
  return {
    ...basic,
    org_id: organization.id,
    org_id_hash: organization.idHash,
    org_type: 'org',
    org_version: 'v2',
    urls: [
      { uri: '/server/devices', http_method: ['POST'], limit },
      { uri: '/devices/sync', http_method: ['POST'], limit },
      { uri: '/devices', http_method: ['POST'] },
      { uri: '/devices/disown', http_method: ['POST'] },
      { uri: '/profile', http_method: ['POST', 'GET'] },
      { uri: '/profile/devices', http_method: ['POST', 'PUT', 'DELETE'] },
      { uri: '/account', http_method: ['GET'] },
    ],
  };
}
