import { renderDevice } from '../fleet/render.ts';
import { pristine, RELEASED, type DeviceState } from '../fleet/state.ts';
import { strikes } from '../faults/faults.ts';
import { struckBy } from '../faults/transport.ts';
import type { Call, Endpoint } from './call.ts';
import { answerSerials, readSerials } from './serials.ts';

/** Details have been seen to take 5000 serials; the calls that change something take 1000. */
const MAX_DETAILS = 5000;

/** https://developer.apple.com/documentation/devicemanagement/get-device-details */
export const details: Endpoint = {
  name: 'details',
  answer(call) {
    const { fleet } = call.server.organization;
    const left = struckBy(call.struck, 'missing_from_answer');
    const entries = readSerials(call, MAX_DETAILS).flatMap((serial, nth) => {
      if (left && strikes(left, serial, nth)) return [];
      const device = fleet.find(serial);
      const status = detailStatus(call, serial, nth, device);
      const head =
        status === 'SUCCESS' && device !== undefined
          ? `${renderDevice(fleet, device, call.version).slice(0, -1)},`
          : `{"serial_number":${JSON.stringify(serial)},`;
      return [`${JSON.stringify(serial)}:${head}"response_status":"${status}"}`];
    });
    return `{"devices":{${entries.join(',')}}}`;
  },
};

function detailStatus(call: Call, serial: string, nth: number, device: number | undefined): string {
  for (const name of ['not_accessible', 'failed', 'not_found'] as const) {
    const fault = struckBy(call.struck, name);
    if (fault && strikes(fault, serial, nth)) return name.toUpperCase();
  }
  if (device === undefined) return 'NOT_FOUND';
  const isOurs = call.server.organization.fleet.state(device).server === call.server.number;
  return isOurs ? 'SUCCESS' : 'NOT_ACCESSIBLE';
}

/** https://developer.apple.com/documentation/devicemanagement/disown-devices */
export const disown: Endpoint = {
  name: 'disown',
  answer(call) {
    const devices = answerSerials(call, (devices) => {
      if (!call.server.allowRelease) return () => 'FAILED';
      call.server.organization.fleet.change(devices, call.world.clock.seconds(), released);
      return () => 'SUCCESS';
    });
    return { devices };
  },
};

function released(state: DeviceState): DeviceState {
  return { ...pristine, assetTag: state.assetTag, server: RELEASED };
}
