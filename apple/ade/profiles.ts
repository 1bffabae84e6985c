import type { AssignResult, SerialResults } from '../../domain/ade.ts';
import type { AdeRequest } from './exchange.ts';
import { readSerialResults } from './serials.ts';
import { readPositiveInteger, requireObject, requireText } from './shape.ts';
import type { WireAssignRequest, WireRemoveRequest } from './wire.ts';

/**
 * A profile cannot be changed at Apple: every definition makes a new one with a uuid of its own.
 * https://developer.apple.com/documentation/devicemanagement/define-profile
 */
export function defineProfileRequest(profile: Record<string, unknown>): AdeRequest {
  return { endpoint: 'POST /profile', body: profile };
}

export function readDefineProfileReply(body: unknown): { profileUuid: string } {
  const reply = requireObject(body, 'the body');
  return { profileUuid: requireText(reply['profile_uuid'], 'profile_uuid') };
}

/** https://developer.apple.com/documentation/devicemanagement/fetch-profile */
export function getProfileRequest(profileUuid: string): AdeRequest {
  return { endpoint: 'GET /profile', query: { profile_uuid: profileUuid } };
}

/** The profile in Apple's spelling, as it stands at Apple. */
export function readGetProfileReply(body: unknown): Record<string, unknown> {
  return requireObject(body, 'the body');
}

/**
 * Apple's page says POST; PUT is the older form. Apple takes both, its own test server and some
 * gateways in between only PUT, and PUT is what this is: doing it twice is doing it once.
 * https://developer.apple.com/documentation/devicemanagement/assign-profile
 */
export function assignProfileRequest(profileUuid: string, serials: readonly string[]): AdeRequest {
  return {
    endpoint: 'PUT /profile/devices',
    body: { profile_uuid: profileUuid, devices: [...serials] } satisfies WireAssignRequest,
  };
}

export function readAssignProfileReply(body: unknown, asked: readonly string[]): AssignResult {
  return {
    results: readSerialResults(body, asked),
    retryAfterSeconds: readPositiveInteger(requireObject(body, 'the body')['retry_after_seconds']),
  };
}

/**
 * Without effect on a device that has its profile already, until it is erased.
 * https://developer.apple.com/documentation/devicemanagement/clear-device-profile
 */
export function removeProfileRequest(serials: readonly string[]): AdeRequest {
  return {
    endpoint: 'DELETE /profile/devices',
    body: { devices: [...serials] } satisfies WireRemoveRequest,
  };
}

export function readRemoveProfileReply(body: unknown, asked: readonly string[]): SerialResults {
  return readSerialResults(body, asked);
}
