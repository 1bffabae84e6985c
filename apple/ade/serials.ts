import type { SerialResults, SerialStatus } from '../../domain/ade.ts';
import { normalizeSerial } from '../../domain/device.ts';
import { requireObject } from './shape.ts';

/** Apple asks for at most so many at a time; larger calls have cost others whole fleets in cool-down. */
const largestBatch = 1000;

/** Serials as they are sent and as results are keyed: normalized, each once. */
export function batchOf(serials: readonly string[]): string[] {
  if (serials.length > largestBatch)
    throw new TypeError(`at most ${largestBatch} serials in one call, not ${serials.length}`);
  return [...new Set(serials.map(normalizeSerial))];
}

const statuses = new Map<unknown, SerialStatus>(
  (['SUCCESS', 'NOT_ACCESSIBLE', 'NOT_FOUND', 'FAILED', 'THROTTLED'] as const).map((status) => [
    status,
    status,
  ]),
);

/** A word that we do not know is not a success. */
export function readStatus(value: unknown): SerialStatus {
  return statuses.get(value) ?? 'FAILED';
}

/**
 * `{devices: {<serial>: <status>}}` for each serial that was asked for. Observed: Apple leaves serials
 * out of an otherwise good reply; those are `FAILED`, so that they are tried again.
 */
export function readSerialResults(body: unknown, asked: readonly string[]): SerialResults {
  const devices = requireObject(requireObject(body, 'the body')['devices'], 'devices');
  const results: SerialResults = new Map(batchOf(asked).map((serial) => [serial, 'FAILED']));
  for (const [key, status] of Object.entries(devices)) {
    const serial = normalizeSerial(key);
    if (results.has(serial)) results.set(serial, readStatus(status));
  }
  return results;
}
