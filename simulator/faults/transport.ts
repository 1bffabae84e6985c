import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Struck } from './faults.ts';

/** An answer before the wire gets hold of it. */
export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The socket of a call; undefined when the world is called in process. */
export type Wire = ServerResponse | undefined;

export function struckBy(struck: readonly Struck[], name: Struck['name']): Struck | undefined {
  return struck.find((fault) => fault.name === name);
}

/** Cuts the connection without an answer. In process it rejects, as `fetch` does. */
export function cutConnection(wire: Wire): Response {
  if (wire === undefined) throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
  wire.socket?.resetAndDestroy();
  return RESPONSE_ALREADY_SENT;
}

/** Sends a reply the way the faults that struck its call want it. */
export async function send(reply: Reply, struck: readonly Struck[], wire: Wire): Promise<Response> {
  let { body } = reply;
  const wrong = struckBy(struck, 'wrong_shape');
  if (wrong !== undefined && reply.status === 200) body = JSON.stringify(wrong.params.shape ?? []);
  if (struckBy(struck, 'half_json')) body = body.slice(0, Math.floor(body.length / 2));
  const torn = struckBy(struck, 'torn_body');
  if (torn !== undefined) return tear({ ...reply, body }, wire);
  const slow = struckBy(struck, 'slow_body');
  if (slow !== undefined) {
    const drops = inDrops(body, slow.params.drops ?? 10, slow.params.delayMs ?? 200);
    return new Response(drops, { status: reply.status, headers: reply.headers });
  }
  return new Response(body, { status: reply.status, headers: reply.headers });
}

async function tear(reply: Reply, wire: Wire): Promise<Response> {
  const bytes = Buffer.from(reply.body);
  const half = bytes.subarray(0, Math.floor(bytes.length / 2));
  if (wire === undefined) {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(half);
      },
      pull(controller) {
        controller.error(new TypeError('terminated'));
      },
    });
    return new Response(body, { status: reply.status, headers: reply.headers });
  }
  wire.writeHead(reply.status, { ...reply.headers, 'content-length': bytes.length });
  await new Promise((resolve) => wire.write(half, resolve));
  wire.socket?.destroy();
  return RESPONSE_ALREADY_SENT;
}

function inDrops(body: string, drops: number, delayMs: number): ReadableStream<Uint8Array> {
  const bytes = Buffer.from(body);
  const size = Math.max(1, Math.ceil(bytes.length / drops));
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at > 0) await sleep(delayMs);
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
      if (at >= bytes.length) controller.close();
    },
  });
}
