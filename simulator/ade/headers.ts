import type { World } from '../world.ts';
import { malformed, Refusal } from './refusal.ts';

/** Apple answers a protocol version above this one as if it were this one. */
const NEWEST_VERSION = 10;

/** Every call needs a User-Agent that Apple lets in. */
export function checkUserAgent(world: World, headers: Headers): void {
  const agent = (headers.get('user-agent') ?? '').trim();
  if (agent === '') throw new Refusal(400, 'USER_AGENT_MISSING');
  const lower = agent.toLowerCase();
  if (world.options.blockedUserAgents.some((start) => lower.startsWith(start.toLowerCase()))) {
    throw new Refusal(400, 'USER_AGENT_INVALID');
  }
}

/** Left out it is 1. */
export function protocolVersion(headers: Headers): number {
  const written = headers.get('x-server-protocol-version');
  if (written === null) return 1;
  if (!/^[1-9]\d{0,5}$/.test(written)) throw malformed();
  return Math.min(Number(written), NEWEST_VERSION);
}

/** Apple's own simulator takes `UTF8` to the letter, and nothing but this. */
export function checkContentType(headers: Headers): void {
  const type = (headers.get('content-type') ?? '').toLowerCase().replaceAll(' ', '');
  if (type !== 'application/json;charset=utf8') throw malformed();
}
