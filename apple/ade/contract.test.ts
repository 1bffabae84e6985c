import { afterEach, expect, test } from 'vitest';
import { connect, type Connected } from '../../simulator/connected.ts';
import type { FaultRequest } from '../../simulator/faults/faults.ts';
import type { AdeClient, DevicePage } from '../../domain/ade.ts';
import { createAdeClient } from './client.ts';
import { createMemorySessions } from './memory-sessions.ts';
import type { WireProfile } from './wire.ts';

/** Our client against Apple's side as it was written a second time, from the protocol alone. */

const opened: Connected[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ simulator }) => simulator.close()));
});

async function start(devices: number, wholeSeconds = 30) {
  const connected = await connect({ devices });
  opened.push(connected);
  const { simulator, server } = connected;
  const downloaded = simulator.world.downloadToken(server, server.organization.admin);
  const token = { ...downloaded, expiresAt: new Date(downloaded.expiresAt * 1000).toISOString() };
  const { url } = await simulator.listen();
  const now = () => new Date();
  const client = createAdeClient({
    integrationId: 'i1',
    baseUrl: url,
    userAgent: 'acme-mdm/1.2',
    credentials: async () => token,
    sessions: createMemorySessions(now),
    now,
    timeouts: { wholeSeconds },
  });
  const fault = (request: FaultRequest) => simulator.world.faults.add(request);
  return { ...connected, client, fault };
}

async function fetchAll(client: AdeClient, limit: number) {
  const pages: DevicePage[] = [];
  do {
    const cursor = pages.at(-1)?.cursor ?? null;
    pages.push(await client.fetchDevices({ cursor, limit }));
  } while (pages.at(-1)?.moreToFollow === true);
  return { pages, serials: pages.flatMap((page) => page.devices.map(({ serial }) => serial)) };
}

test('walks a fleet to its end while sessions expire and rotate', async () => {
  const { client, fault, serials } = await start(250);
  fault({ name: 'session_expired', skip: 1, count: 2 });
  fault({ name: 'session_rotates', probability: 0.5 });
  const walked = await fetchAll(client, 30);
  expect(walked.serials.toSorted()).toEqual(serials().toSorted());
  const last = walked.pages.at(-1);
  await expect(
    client.syncDevices({ cursor: last?.cursor ?? '', limit: 100 }),
  ).resolves.toMatchObject({ devices: [], moreToFollow: false });
});

test('defines, assigns, reads, removes and disowns', async () => {
  const { client, serials } = await start(12);
  const [first = '', second = ''] = serials();
  const profile = {
    profile_name: 'Kiosk',
    url: 'https://mdm.example/enroll',
    org_magic: 'm',
  } satisfies WireProfile;
  const { profileUuid } = await client.defineProfile(profile);
  expect(await client.getProfile(profileUuid)).toMatchObject(profile);
  expect((await client.assignProfile(profileUuid, [first, second, 'NOTOURS1'])).results).toEqual(
    new Map([
      [first, 'SUCCESS'],
      [second, 'SUCCESS'],
      ['NOTOURS1', 'NOT_ACCESSIBLE'],
    ]),
  );
  expect((await client.deviceDetails([first])).get(first)).toMatchObject({
    status: 'SUCCESS',
    device: { serial: first, profileUuid, profileStatus: 'assigned' },
  });
  expect(await client.removeProfile([first])).toEqual(new Map([[first, 'SUCCESS']]));
  expect(await client.disownDevices([second])).toEqual(new Map([[second, 'SUCCESS']]));
  expect((await client.deviceDetails([second])).get(second)?.status).not.toBe('SUCCESS');
  expect((await client.account()).fetchLimit).toBe(1000);
});

test.each<[FaultRequest, string]>([
  [{ name: 'forbidden_access_denied' }, 'ACCESS_DENIED'],
  [{ name: 'forbidden_t_c_not_signed' }, 'T_C_NOT_SIGNED'],
  [{ name: 'unauthorized' }, 'UNAUTHORIZED'],
  [{ name: 'forbidden' }, 'FORBIDDEN'],
  [{ name: 'too_many_requests' }, 'TOO_MANY_REQUESTS'],
  [{ name: 'malformed_request_body' }, 'MALFORMED_REQUEST_BODY'],
  [{ name: 'invalid_cursor' }, 'INVALID_CURSOR'],
  [{ name: 'exhausted_cursor' }, 'EXHAUSTED_CURSOR'],
  [{ name: 'expired_cursor' }, 'EXPIRED_CURSOR'],
  [{ name: 'token_rejected' }, 'TOKEN_REJECTED'],
  [{ name: 'token_expired' }, 'TOKEN_EXPIRED'],
  [{ name: 'signature_invalid' }, 'SIGNATURE_INVALID'],
  [{ name: 'user_agent_invalid' }, 'USER_AGENT_INVALID'],
  [{ name: 'http_500' }, 'SERVER_ERROR'],
  [{ name: 'http_503' }, 'SERVER_ERROR'],
  [{ name: 'html_error' }, 'SERVER_ERROR'],
  [{ name: 'connection_reset' }, 'unreachable'],
  [{ name: 'half_json' }, 'unreachable'],
  [{ name: 'torn_body' }, 'unreachable'],
  [{ name: 'slow', params: { delayMs: 10_000 } }, 'unreachable'],
  [{ name: 'slow_body', params: { delayMs: 1000, drops: 50 } }, 'unreachable'],
  [{ name: 'wrong_shape' }, 'bad_reply'],
])('under the fault %j answers %s, in every style', async (request, code) => {
  const isSlow = request.name.startsWith('slow');
  const { client, fault } = await start(12, isSlow ? 0.5 : 30);
  for (const style of [null, 'quoted_errors', 'json_errors'] as const) {
    if (style !== null) fault({ name: style });
    fault(request);
    await expect(client.fetchDevices({ cursor: null, limit: 100 })).rejects.toMatchObject({ code });
  }
});

test('reads the odd values that are legal', async () => {
  const { client, fault, serials } = await start(40);
  fault({ name: 'odd_values' });
  const walked = await fetchAll(client, 100);
  expect(walked.serials.toSorted()).toEqual(serials().toSorted());
});
