import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSimulator } from './app.ts';
import { churn } from './churn.ts';
import { connect } from './connected.ts';
import { buy } from './moves.ts';
import { createRawClient } from './raw-client.ts';
import { StateFileError } from './state-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'world-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const truth = async (simulator: ReturnType<typeof createSimulator>, uuid: string) => {
  const request = new Request(`http://apple.test/control/truth?server=${uuid}`);
  return (await simulator.fetch(request)).text();
};

test('a world goes on where it was: devices, tokens, cursors, profiles, clock', async () => {
  const options = { devices: 60, seed: 5, stateFile: join(folder, 'deep', 'world.json') };
  const first = await connect(options, 40);
  const { world } = first.simulator;
  const { cursor } = await first.client.page('/server/devices', { limit: 1000 });
  const profile = { profile_name: 'Staff', url: 'https://mdm.example', devices: first.serials() };
  const defined = await first.client.call('POST', '/profile', profile);
  const { profile_uuid } = (await defined.json()) as { profile_uuid: string };
  churn(world, first.server, 40);
  buy(world, first.server.organization, 7);
  world.organizations[0]!.termsAccepted = true;
  world.organizations[0]!.defaults.set('Mac', first.server.uuid);
  world.clock.advance(24 * 3600);
  const before = await truth(first.simulator, first.server.uuid);
  const told = await first.client.call('POST', '/devices/sync', { cursor, limit: 1000 });
  // The clock has moved past the session that the client had.
  expect(told.status).toBe(401);
  await first.simulator.close();

  const second = createSimulator(options);
  const server = second.world.servers.get(first.server.uuid)!;
  const client = createRawClient(second.fetch, first.server.token!);
  await client.openSession();

  expect(await truth(second, server.uuid)).toBe(before);
  expect(second.world.clock.offsetMs).toBe(world.clock.offsetMs);
  expect(second.world.organizations[0]!.defaults.get('Mac')).toBe(server.uuid);
  expect(second.world.organizations[0]!.fleet.size).toBe(world.organizations[0]!.fleet.size);
  const got = await client.call('GET', `/profile?profile_uuid=${profile_uuid}`);
  expect(await got.json()).toMatchObject({ profile_name: 'Staff' });
  const { devices } = await client.page('/devices/sync', { cursor, limit: 1000 });
  await first.client.openSession();
  const original = await first.client.page('/devices/sync', { cursor, limit: 1000 });
  expect(devices.length).toBeGreaterThan(40);
  expect(devices).toEqual(original.devices);
});

test('what happens next does not depend on a restart in between', async () => {
  const options = { devices: 60, seed: 5 };
  const straight = await connect(options);
  churn(straight.simulator.world, straight.server, 20);
  churn(straight.simulator.world, straight.server, 20);

  const stateFile = join(folder, 'world.json');
  const first = await connect({ ...options, stateFile });
  churn(first.simulator.world, first.server, 20);
  await first.simulator.close();
  const { world } = createSimulator({ ...options, stateFile });
  churn(world, world.servers.get(first.server.uuid)!, 20);

  const tags = (of: typeof world) =>
    of.organizations[0]!.fleet.states.map(({ server, assetTag }) => [server, assetTag]);
  expect(tags(world)).toEqual(tags(straight.simulator.world));
});

test('a superseded token stays dead after a restart', async () => {
  const options = { devices: 5, stateFile: join(folder, 'world.json') };
  const { simulator, server } = await connect(options);
  const old = server.token!;
  simulator.world.downloadToken(server, 'admin@example.org');
  await simulator.close();

  const answer = await createRawClient(createSimulator(options).fetch, old).requestSession();
  expect(`${answer.status} ${await answer.text()}`).toBe('401 token_rejected');
});

test('a change is written soon, for the owner alone, without waiting for the end', async () => {
  const stateFile = join(folder, 'world.json');
  const { simulator, server } = await connect({ devices: 5, stateFile });
  await expect
    .poll(
      () => {
        try {
          return readFileSync(stateFile, 'utf8').includes(server.uuid);
        } catch {
          return false;
        }
      },
      { timeout: 10_000 },
    )
    .toBe(true);
  expect(statSync(stateFile).mode & 0o077).toBe(0);
  await simulator.close();
});

test('a damaged file and a file of another world are refused with what to do', async () => {
  const stateFile = join(folder, 'world.json');
  const { simulator } = await connect({ devices: 5, stateFile });
  await simulator.close();

  expect(() => createSimulator({ devices: 6, stateFile })).toThrow(/seed 7, 5 devices.*delete it/);
  writeFileSync(stateFile, '{"version":');
  expect(() => createSimulator({ devices: 5, stateFile })).toThrow(StateFileError);
});
