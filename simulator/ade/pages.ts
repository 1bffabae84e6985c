import type { WirePageRequest } from '../../apple/ade/wire.ts';
import { churn } from '../churn.ts';
import { renderChange, renderDevice } from '../fleet/render.ts';
import { struckBy } from '../faults/transport.ts';
import { now, type Call, type Endpoint } from './call.ts';
import { readCursor, writeCursor, type Cursor } from './cursors.ts';
import { bend, type Page } from './page-faults.ts';
import { malformed, Refusal } from './refusal.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const MAX_CURSOR = 1000;
const RETENTION_SECONDS = 8 * 24 * 3600;

/** https://developer.apple.com/documentation/devicemanagement/fetch-devices */
export const fetchDevices: Endpoint = {
  name: 'fetch',
  answer(call) {
    const { server, world } = call;
    const request = readRequest(call);
    if (request.cursor === undefined) {
      server.log.dropBefore(world.clock.seconds() - RETENTION_SECONDS);
      server.log.watch();
      world.onChange();
    }
    const from: Cursor = request.cursor
      ? readCursor(request.cursor, server.uuid, world.clock.seconds(), world.cursorKey)
      : { server: server.uuid, position: server.log.end, next: 0, issuedAt: 0 };
    if (from.next === null) throw new Refusal(400, 'EXHAUSTED_CURSOR');
    stir(call);

    const { fleet } = server.organization;
    // One more than asked for: whether it is there says whether more is to follow.
    const found = fleet.on(server.number, from.next, request.limit + 1);
    const devices = found.slice(0, request.limit);
    const next = found[request.limit] ?? null;
    return write(call, request, {
      entries: devices.map((device) => renderDevice(fleet, device, call.version)),
      serials: devices.map((device) => fleet.serial(device)),
      cursor: issue(call, { position: from.position, next }),
      again: issue(call, from),
      more: next !== null,
    });
  },
};

/** https://developer.apple.com/documentation/devicemanagement/sync-devices */
export const syncDevices: Endpoint = {
  name: 'sync',
  answer(call) {
    const { server, world } = call;
    const request = readRequest(call);
    if (request.cursor === undefined) throw new Refusal(400, 'CURSOR_REQUIRED');
    const from = readCursor(request.cursor, server.uuid, world.clock.seconds(), world.cursorKey);
    // A walk that has not come to its end has no right to a delta: it would lose the rest.
    if (from.next !== null) throw new Refusal(400, 'INVALID_CURSOR');
    if (from.position < server.log.start) throw new Refusal(400, 'EXPIRED_CURSOR');
    stir(call);

    const { fleet } = server.organization;
    const changes = server.log.slice(from.position, request.limit);
    const position = from.position + changes.length;
    return write(call, request, {
      entries: changes.map((change) => renderChange(fleet, change, call.version)),
      serials: changes.map((change) => fleet.serial(change.device)),
      cursor: issue(call, { position, next: null }),
      again: issue(call, from),
      more: position < server.log.end,
    });
  },
};

function readRequest({ body }: Call): { cursor: string | undefined; limit: number } {
  const { cursor, limit } = body as Partial<Record<keyof WirePageRequest, unknown>>;
  if (cursor !== undefined && cursor !== null && typeof cursor !== 'string') throw malformed();
  if (typeof cursor === 'string' && cursor.length > MAX_CURSOR) {
    throw new Refusal(400, 'INVALID_CURSOR');
  }
  if (limit !== undefined && limit !== null) {
    const isLegal = typeof limit === 'number' && Number.isInteger(limit);
    if (!isLegal || limit < 1 || limit > MAX_LIMIT) throw malformed();
    return { cursor: cursor ?? undefined, limit };
  }
  return { cursor: cursor ?? undefined, limit: DEFAULT_LIMIT };
}

function issue({ world, server }: Call, to: Pick<Cursor, 'position' | 'next'>): string {
  const issuedAt = world.clock.seconds();
  return writeCursor({ server: server.uuid, ...to, issuedAt }, world.cursorKey);
}

/** Changes that happen while somebody walks. */
function stir({ world, server, struck }: Call): void {
  const fault = struckBy(struck, 'churn');
  const changes = world.options.churnPerPage + (fault ? (fault.params.changes ?? 5) : 0);
  if (changes > 0) churn(world, server, changes);
}

function write(call: Call, request: { cursor: string | undefined }, straight: Page): string {
  const page = bend(call.struck, request.cursor, straight);
  call.world.statistics.devicesServed += page.entries.length;
  return `{"cursor":${JSON.stringify(page.cursor)},"devices":[${page.entries.join(',')}],"fetched_until":"${now(call.world)}","more_to_follow":${String(page.more)}}`;
}
