import type {
  WireAssignReply,
  WireDefineReply,
  WireSerialReply,
  WireSerialStatus,
} from '../../apple/ade/wire.ts';
import type { DeviceState } from '../fleet/state.ts';
import { appleUuid } from '../world.ts';
import type { Call, Endpoint } from './call.ts';
import { checkProfile } from './profile-rules.ts';
import { Refusal } from './refusal.ts';
import { answerSerials, readSerials } from './serials.ts';
import { splitThrottled } from './throttle.ts';

/** https://developer.apple.com/documentation/devicemanagement/define-a-profile */
export const defineProfile: Endpoint = {
  name: 'define_profile',
  answer(call): WireDefineReply {
    checkProfile(call.body);
    const { devices, ...body } = call.body;
    const serials = Array.isArray(devices) && devices.length > 0 ? readSerials(call) : [];
    const profile = { uuid: appleUuid(), definedAt: call.world.clock.seconds(), body };
    call.server.profiles.set(profile.uuid, profile);
    const { answers } = assignTo(call, profile.uuid, serials);
    call.world.onChange();
    return { profile_uuid: profile.uuid, devices: answers };
  },
};

/** https://developer.apple.com/documentation/devicemanagement/get-a-profile */
export const getProfile: Endpoint = {
  name: 'get_profile',
  answer({ server, url }) {
    const uuid = url.searchParams.get('profile_uuid') ?? '';
    if (uuid === '') throw new Refusal(400, 'PROFILE_UUID_REQUIRED');
    const profile = server.profiles.get(uuid);
    if (profile === undefined) throw new Refusal(404, 'NOT_FOUND');
    return { ...profile.body, profile_uuid: uuid };
  },
};

/**
 * POST in Apple's documents, PUT in its history; both are served.
 * https://developer.apple.com/documentation/devicemanagement/assign-a-profile
 */
export const assignProfile: Endpoint = {
  name: 'assign',
  answer(call): WireAssignReply {
    const { profile_uuid: uuid } = call.body;
    if (typeof uuid !== 'string' || uuid === '') throw new Refusal(400, 'PROFILE_UUID_REQUIRED');
    const serials = readSerials(call);
    if (!call.server.profiles.has(uuid)) throw new Refusal(404, 'PROFILE_NOT_FOUND');
    call.world.statistics.assigned({
      at: call.world.clock.seconds(),
      server: call.server.uuid,
      profileUuid: uuid,
      serials: serials.length,
    });
    const { answers, retryAfterSeconds } = assignTo(call, uuid, serials);
    const hint = retryAfterSeconds !== null && call.version >= 10;
    return {
      profile_uuid: uuid,
      devices: answers,
      ...(hint && { retry_after_seconds: retryAfterSeconds }),
    };
  },
};

/** https://developer.apple.com/documentation/devicemanagement/remove-a-profile */
export const removeProfile: Endpoint = {
  name: 'remove',
  answer(call): WireSerialReply {
    const devices = answerSerials(call, (found) => {
      call.server.organization.fleet.change(found, call.world.clock.seconds(), withoutProfile);
      return () => 'SUCCESS';
    });
    return { devices };
  },
};

function assignTo(call: Call, uuid: string, serials: string[]) {
  const now = call.world.clock.seconds();
  const wait: { seconds: number | null } = { seconds: null };
  const answers = answerSerials(
    call,
    (devices) => {
      const split = splitThrottled(call, devices);
      wait.seconds = split.retryAfterSeconds;
      const free = devices.filter((device) => !split.throttled.has(device));
      call.server.organization.fleet.change(free, now, (state) => withProfile(state, uuid, now));
      // Before version 9 there was no word for it.
      const word: WireSerialStatus = call.version >= 9 ? 'THROTTLED' : 'FAILED';
      return (device) => (split.throttled.has(device) ? word : 'SUCCESS');
    },
    serials,
  );
  return { answers, retryAfterSeconds: wait.seconds };
}

function withProfile(state: DeviceState, uuid: string, now: number): DeviceState {
  return {
    ...state,
    profileStatus: 'assigned',
    profileUuid: uuid,
    profileAssignedAt: now,
    profilePushedAt: null,
  };
}

function withoutProfile(state: DeviceState): DeviceState {
  if (state.profileUuid === null) return state;
  const nothing = { profileUuid: null, profileAssignedAt: null, profilePushedAt: null } as const;
  return { ...state, ...nothing, profileStatus: 'removed' };
}
