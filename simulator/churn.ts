import { UNASSIGNED } from './fleet/state.ts';
import type { MdmServer } from './mdm-server.ts';
import { activate, assign, buy, label, reassign, release, unassign } from './moves.ts';
import type { World } from './world.ts';

/** How a busy day is made up: arrivals and departures balance, most of what happens is a change. */
const kinds = [
  ['arrive', 'arrive', 'leave', 'leave', 'leave_and_return', 'relabel', 'relabel'],
  ['reassign', 'activate', 'buy', 'move'],
].flat() as [Kind, ...Kind[]];
type Kind =
  'arrive' | 'leave' | 'leave_and_return' | 'relabel' | 'reassign' | 'activate' | 'buy' | 'move';

/** Makes `count` random things happen to the devices of a server; the world's seed decides which. */
export function churn(world: World, server: MdmServer, count: number): void {
  const { random } = world;
  const { fleet } = server.organization;
  const others = [...world.servers.values()].filter(
    (other) => other.organization === server.organization && other !== server,
  );
  for (let i = 0; i < count; i++) {
    const kind = random.pick(kinds);
    if (kind === 'arrive' || kind === 'buy') {
      const [device] = kind === 'buy' ? buy(world, server.organization, 1) : pickOn(UNASSIGNED);
      if (device !== undefined) assign(world, server, [device], server.organization.admin);
      continue;
    }
    const picked = pickOn(server.number);
    if (picked.length === 0) continue;
    const [other] = others;
    if (kind === 'leave') {
      if (random.below(10) === 0) release(world, server.organization, picked);
      else unassign(world, server.organization, picked);
    } else if (kind === 'leave_and_return') {
      unassign(world, server.organization, picked);
      assign(world, server, picked, server.organization.admin);
    } else if (kind === 'relabel') {
      label(world, server.organization, picked, `TAG-${random.below(1_000_000)}`);
    } else if (kind === 'reassign') reassign(world, server, picked, server.organization.admin);
    else if (kind === 'activate') activate(world, server.organization, picked);
    else if (other) assign(world, other, picked, server.organization.admin);
    else unassign(world, server.organization, picked);
  }

  /** One at random, or none: looks from a random place for the next device of the server. */
  function pickOn(number: number): number[] {
    const from = random.below(Math.max(1, fleet.size));
    const [found = fleet.on(number, 0, 1)[0]] = fleet.on(number, from, 1);
    return found === undefined ? [] : [found];
  }
}
