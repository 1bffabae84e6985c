import type { Context } from 'hono';
import type { ApiEnv } from './deps.ts';

/**
 * The address of the connection. Forwarding headers are not believed: whoever may set them freely
 * could pick a new address for each guess.
 */
export function clientAddress(c: Context<ApiEnv>): string {
  return (c.env as ApiEnv['Bindings'] | undefined)?.incoming?.socket?.remoteAddress ?? 'unknown';
}

/** What one client can hold: an IPv4 address, or the /64 of an IPv6 one. */
export function clientNetwork(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array<string>(zeros).fill('0'), ...after];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
