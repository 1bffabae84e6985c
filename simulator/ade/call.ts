import { setTimeout as sleep } from 'node:timers/promises';
import { isoSeconds } from '../clock.ts';
import type { Struck } from '../faults/faults.ts';
import { cutConnection, send, struckBy, type Reply, type Wire } from '../faults/transport.ts';
import type { MdmServer } from '../mdm-server.ts';
import type { World } from '../world.ts';
import type { EndpointName } from './endpoints.ts';
import { checkContentType, checkUserAgent, protocolVersion } from './headers.ts';
import { claimedServer } from './oauth1.ts';
import { malformed, Refusal } from './refusal.ts';
import { renewInAnswer, requireSession } from './authenticate.ts';

const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** What a handler is told once a call has been let in. */
export interface Call {
  world: World;
  server: MdmServer;
  version: number;
  url: URL;
  body: Record<string, unknown>;
  struck: readonly Struck[];
}

/** An object to be written as JSON, or the JSON itself where it was written by hand. */
export type Answer = object | string;

export interface Endpoint {
  name: EndpointName;
  /** `/session` is let in by OAuth; everything else by a session. */
  admit?: (world: World, request: Request, url: URL) => MdmServer;
  answer: (call: Call) => Answer;
}

/** Serves one call: faults, headers, who it is, body, work; and counts it. */
export async function serve(
  world: World,
  endpoint: Endpoint,
  request: Request,
  wire: Wire,
): Promise<Response> {
  world.statistics.begin();
  let status = 0;
  let code: string | null = null;
  try {
    const url = signedUrl(world, request);
    const struck = world.faults.draw(endpoint.name, callerOf(world, request));
    await delay(world, struck);
    const reset = struckBy(struck, 'connection_reset');
    if (reset && reset.params.when !== 'after') return cutConnection(wire);
    const reply = await answer(world, endpoint, request, url, struck);
    if (reset) return cutConnection(wire);
    ({ status } = reply);
    if (status !== 200) code = reply.body;
    return await send(reply, struck, wire);
  } finally {
    world.statistics.end(endpoint.name, status, code);
  }
}

async function answer(
  world: World,
  endpoint: Endpoint,
  request: Request,
  url: URL,
  struck: readonly Struck[],
): Promise<Reply> {
  const headers: Record<string, string> = { 'content-type': 'application/json;charset=UTF8' };
  try {
    const refuse = struck.find((fault) => fault.entry.kind === 'refusal');
    if (refuse && refuse.params.when !== 'after') throw refusalOf(world, refuse);
    checkUserAgent(world, request.headers);
    const version = protocolVersion(request.headers);
    const server =
      endpoint.admit?.(world, request, url) ?? requireSession(world, request.headers, struck);
    if (!server.organization.termsAccepted) throw new Refusal(403, 'T_C_NOT_SIGNED');
    server.lastConnectedAt = world.clock.seconds();
    if (!endpoint.admit) Object.assign(headers, renewInAnswer(world, request, server, struck));
    const body = await readBody(request);
    const made = endpoint.answer({ world, server, version, url, body, struck });
    if (refuse) throw refusalOf(world, refuse);
    return { status: 200, headers, body: typeof made === 'string' ? made : JSON.stringify(made) };
  } catch (error) {
    if (error instanceof Refusal) return refusalReply(error, struck);
    throw error;
  }
}

function callerOf(world: World, request: Request): string | null {
  const session = request.headers.get('x-adm-auth-session');
  if (session !== null) return world.sessions.find(session)?.serverUuid ?? null;
  return claimedServer(world, request.headers.get('authorization'))?.uuid ?? null;
}

function signedUrl(world: World, request: Request): URL {
  const url = new URL(request.url);
  if (world.options.publicUrl === undefined) return url;
  return new URL(`${url.pathname}${url.search}`, world.options.publicUrl);
}

async function delay(world: World, struck: readonly Struck[]): Promise<void> {
  const slow = struckBy(struck, 'slow');
  const total = world.options.latencyMs + (slow ? (slow.params.delayMs ?? 1000) : 0);
  if (total > 0) await sleep(total);
}

async function readBody(request: Request): Promise<Record<string, unknown>> {
  if (request.method === 'GET') return {};
  checkContentType(request.headers);
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw malformed();
  const text = await request.text();
  if (text.length > MAX_BODY_BYTES) throw malformed();
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed();
  return body as Record<string, unknown>;
}

function refusalOf(world: World, fault: Struck): Refusal {
  const { status, body, retryAfterSeconds, retryAfterForm } = fault.params;
  const headers: Record<string, string> = {};
  if (retryAfterSeconds !== undefined) {
    // By the wall: the client under test reads it by its own clock.
    const until = new Date((world.clock.wallSeconds() + retryAfterSeconds) * 1000);
    headers['retry-after'] =
      retryAfterForm === 'date' ? until.toUTCString() : String(retryAfterSeconds);
  }
  if (fault.name === 'html_error') headers['content-type'] = 'text/html';
  return new Refusal(
    status ?? fault.entry.status ?? 500,
    body ?? fault.entry.body ?? 'Internal Server Error',
    headers,
  );
}

function refusalReply(refusal: Refusal, struck: readonly Struck[]): Reply {
  let body = refusal.code;
  if (struckBy(struck, 'quoted_errors')) body = JSON.stringify(body);
  if (struckBy(struck, 'json_errors')) body = JSON.stringify({ code: body });
  const headers = { 'content-type': 'text/plain;charset=UTF8', ...refusal.headers };
  return { status: refusal.status, headers, body };
}

/** Whole seconds of now, as Apple writes them. */
export function now(world: World): string {
  return isoSeconds(world.clock.seconds());
}
