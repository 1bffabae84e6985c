import type { WireSerialStatus } from '../../apple/ade/wire.ts';
import { strikes, type Struck } from '../faults/faults.ts';
import type { Call } from './call.ts';
import { malformed, Refusal } from './refusal.ts';

const MAX_SERIALS = 1000;

const faultsPerSerial = ['missing_from_answer', 'not_accessible', 'failed', 'not_found', 'success'];

/** The `devices` of a body: a list of serials, not empty. */
export function readSerials(call: Call, most = MAX_SERIALS): string[] {
  const { devices } = call.body;
  if (devices === undefined || devices === null) throw new Refusal(400, 'DEVICE_ID_REQUIRED');
  if (!Array.isArray(devices) || !devices.every((serial) => typeof serial === 'string')) {
    throw malformed();
  }
  if (devices.length === 0) throw new Refusal(400, 'DEVICE_ID_REQUIRED');
  if (devices.length > most) throw malformed();
  return devices;
}

/**
 * Answers for each serial. `act` is given the numbers of the devices that are on this server and that
 * no fault strikes, and gives back what Apple answers for each.
 */
export function answerSerials(
  call: Call,
  act: (devices: number[]) => (device: number) => WireSerialStatus,
  serials = readSerials(call),
): Record<string, WireSerialStatus> {
  const { fleet } = call.server.organization;
  const answers: Record<string, WireSerialStatus> = {};
  const reached = new Map<string, number>();
  const faults = call.struck.filter((fault) => faultsPerSerial.includes(fault.name));
  for (const [nth, serial] of serials.entries()) {
    const fault = faults.find((candidate) => strikes(candidate, serial, nth));
    if (fault?.name === 'missing_from_answer') continue;
    if (fault) {
      answers[serial] = wordOf(fault);
      continue;
    }
    const device = fleet.find(serial);
    if (device === undefined || fleet.state(device).server !== call.server.number) {
      answers[serial] = 'NOT_ACCESSIBLE';
      continue;
    }
    reached.set(serial, device);
  }
  const word = act([...reached.values()]);
  for (const [serial, device] of reached) answers[serial] = word(device);
  call.world.onChange();
  return answers;
}

function wordOf(fault: Struck): WireSerialStatus {
  return fault.name.toUpperCase();
}
