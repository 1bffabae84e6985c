import type { AppleDevice } from './device.ts';
import type { AdeAccount } from './token.ts';

/**
 * Apple's refusals, parsed once at the border (`apple/ade/errors.ts`). `unreachable` is no answer at
 * all (network, time-out, torn body); `bad_reply` is a 200 that is not what Apple promises; `unknown`
 * is a refusal in words that we have not met.
 */
export const adeCodes = [
  'ACCESS_DENIED',
  'APPLE_SEED_FOR_IT_TURNED_OFF',
  'CONFIG_NAME_INVALID',
  'CONFIG_NAME_REQUIRED',
  'CONFIG_URL_INVALID',
  'CONFIG_URL_REQUIRED',
  'CURSOR_REQUIRED',
  'DEPARTMENT_INVALID',
  'DEPARTMENT_REQUIRED',
  'DEVICE_ID_INVALID',
  'DEVICE_ID_REQUIRED',
  'DEVICE_NOT_FOUND',
  'EXHAUSTED_CURSOR',
  'EXPIRED_CURSOR',
  'FLAGS_INVALID',
  'FORBIDDEN',
  'INVALID_CURSOR',
  'LOCALE_INVALID',
  'MAGIC_INVALID',
  'MALFORMED_REQUEST_BODY',
  'MESSAGE_FORMAT_ERROR',
  'METHOD_NOT_ALLOWED',
  'NOT_FOUND',
  'ORG_NOT_SUPPORTED',
  'PROFILE_NOT_FOUND',
  'PROFILE_UUID_REQUIRED',
  'SIGNATURE_INVALID',
  'SUPPORT_EMAIL_INVALID',
  'SUPPORT_PHONE_INVALID',
  'SUPPORT_PHONE_REQUIRED',
  'TOKEN_EXPIRED',
  'TOKEN_REJECTED',
  'TOO_MANY_REQUESTS',
  'T_C_NOT_SIGNED',
  'UNAUTHORIZED',
  'USER_AGENT_INVALID',
  'USER_AGENT_MISSING',
  'SERVER_ERROR',
  'unreachable',
  'bad_reply',
  'unknown',
] as const;
export type AdeCode = (typeof adeCodes)[number];

/** A page of Apple's device list, from a full fetch or a delta. */
export interface DevicePage {
  devices: AppleDevice[];
  /** Opaque, at most 1000 characters; compared byte by byte, never parsed. */
  cursor: string;
  fetchedUntil: string | null;
  moreToFollow: boolean;
}

export interface PageRequest {
  cursor: string | null;
  limit: number;
  signal?: AbortSignal;
}

export type SerialStatus = 'SUCCESS' | 'NOT_ACCESSIBLE' | 'NOT_FOUND' | 'FAILED' | 'THROTTLED';

/** Apple's answer for each serial that was asked for; a serial that Apple left out is `FAILED`. */
export type SerialResults = Map<string, SerialStatus>;

export interface AssignResult {
  results: SerialResults;
  retryAfterSeconds: number | null;
}

/**
 * Apple's device assignment service for one integration. Every method renews a dead session once and
 * repeats its request once, and throws `AdeError` for every refusal or missing answer. Batches above
 * 1000 serials are a `TypeError`.
 */
export interface AdeClient {
  account(): Promise<AdeAccount>;
  fetchDevices(request: PageRequest): Promise<DevicePage>;
  syncDevices(request: PageRequest): Promise<DevicePage>;
  /** Details by serial; a serial that Apple does not give us has `status` other than SUCCESS and no device. */
  deviceDetails(
    serials: readonly string[],
  ): Promise<Map<string, { status: SerialStatus; device: AppleDevice | null }>>;
  /** Irreversible. Never repeated by the client itself, not even after a dead session. */
  disownDevices(serials: readonly string[]): Promise<SerialResults>;
  defineProfile(profile: Record<string, unknown>): Promise<{ profileUuid: string }>;
  getProfile(profileUuid: string): Promise<Record<string, unknown>>;
  assignProfile(profileUuid: string, serials: readonly string[]): Promise<AssignResult>;
  removeProfile(serials: readonly string[]): Promise<SerialResults>;
}

/** A session token as it is shared between processes. `generation` grows with every renewal. */
export interface AdeSession {
  token: string;
  generation: number;
}

/**
 * Where the session of an integration lives, so that n workers share one. A renewal is claimed before
 * Apple is asked: one caller gets `true`, the others wait until `generation` has grown or the claim
 * has run out.
 */
export interface AdeSessionStore {
  find(integrationId: string): Promise<AdeSession | undefined>;
  /**
   * Null while another holds the claim or has renewed generation `seen` (0: there is none). Otherwise
   * the generation that the caller may now renew; a new server token ends it, also where no session
   * was left to drop. Read the token after the claim.
   */
  claimRenewal(integrationId: string, seen: number, leaseSeconds: number): Promise<number | null>;
  /**
   * Stores a renewed session, ends the claim, returns the new generation. Where the claimed one is no
   * more the current one, nothing is stored and the answer is the session in use, if there is one.
   */
  saveRenewed(integrationId: string, claimed: number, token: string): Promise<AdeSession>;
  /** Gives a claim back after a failed renewal, so that others need not wait for it to run out. */
  releaseClaim(integrationId: string, claimed: number): Promise<void>;
  /** Apple rotated the token in an answer: replaces it if `generation` is still the current one. */
  adopt(integrationId: string, generation: number, token: string): Promise<void>;
}
