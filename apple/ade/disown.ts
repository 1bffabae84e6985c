import type { SerialResults } from '../../domain/ade.ts';
import type { AdeRequest } from './exchange.ts';
import { readSerialResults } from './serials.ts';
import type { WireSerials } from './wire.ts';

/**
 * Releases devices from the organization for good.
 * https://developer.apple.com/documentation/devicemanagement/disown-devices
 */
export function disownDevicesRequest(serials: readonly string[]): AdeRequest {
  return {
    endpoint: 'POST /devices/disown',
    body: { devices: [...serials] } satisfies WireSerials,
  };
}

export function readDisownDevicesReply(body: unknown, asked: readonly string[]): SerialResults {
  return readSerialResults(body, asked);
}
