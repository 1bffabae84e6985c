import { readFileSync } from 'node:fs';
import { createSimulator, type Simulator } from './app.ts';
import type { MdmServer } from './mdm-server.ts';
import { assign } from './moves.ts';
import type { SimulatorInput } from './options.ts';
import { createRawClient, type RawClient } from './raw-client.ts';
import { readCertificate } from './token/certificate.ts';

/** Where a test begins: a world with one server entry and somebody who has a session for it. */
export interface Connected {
  simulator: Simulator;
  server: MdmServer;
  client: RawClient;
  /** Serials that are on the server. */
  serials: () => string[];
}

export const certificatePem = readFileSync(
  new URL('token/fixtures/server.pem', import.meta.url),
  'utf8',
);

/** `assigned` devices of the fleet are on the server from the start; left out, all of them. */
export async function connect(
  options: SimulatorInput = {},
  assigned = Infinity,
  wall?: () => number,
): Promise<Connected> {
  const simulator = createSimulator(options, wall);
  const { world } = simulator;
  const [organization] = world.organizations;
  if (organization === undefined) throw new RangeError('A world has an organization.');
  const server = world.addServer(organization, 'Ours', readCertificate(certificatePem));
  const { fleet } = organization;
  assign(world, server, fleet.on(0, 0, assigned), organization.admin);
  const token = world.downloadToken(server, organization.admin);
  const timestamp = () => world.clock.wallSeconds();
  const client = createRawClient(simulator.fetch, token, 'http://apple.test', timestamp);
  await client.openSession();
  const serials = () => fleet.on(server.number, 0, fleet.size).map((n) => fleet.serial(n));
  return { simulator, server, client, serials };
}
