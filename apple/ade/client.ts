import { randomUUID } from 'node:crypto';
import type { AdeClient, AdeCode, AdeSession, AdeSessionStore } from '../../domain/ade.ts';
import type { ServerToken } from '../../domain/token.ts';
import { accountRequest, readAccountReply } from './account.ts';
import {
  deviceDetailsRequest,
  fetchDevicesRequest,
  readDeviceDetailsReply,
  readDevicePageReply,
  syncDevicesRequest,
} from './devices.ts';
import { disownDevicesRequest, readDisownDevicesReply } from './disown.ts';
import type { AdeError } from './errors.ts';
import { createExchange, type AdeCall, type AdeRequest, type Outcome } from './exchange.ts';
import {
  assignProfileRequest,
  defineProfileRequest,
  getProfileRequest,
  readAssignProfileReply,
  readDefineProfileReply,
  readGetProfileReply,
  readRemoveProfileReply,
  removeProfileRequest,
} from './profiles.ts';
import { batchOf } from './serials.ts';
import { createSessions } from './session.ts';
import { sharedTransport, type Timeouts, type Transport } from './transport.ts';

export interface AdeClientDeps {
  integrationId: string;
  /** `https://mdmenrollment.apple.com`, or where a simulator listens. */
  baseUrl: string;
  userAgent: string;
  /** Asked for at each new session, so that a token that was swapped counts from then on. */
  credentials: () => Promise<ServerToken>;
  sessions: AdeSessionStore;
  now: () => Date;
  newNonce?: () => string;
  /** Default: one pool of connections for the whole process. */
  transport?: Transport;
  timeouts?: Partial<Timeouts>;
  /** Told of each HTTP exchange, sessions and repetitions included. */
  onCall?: (call: AdeCall) => void;
}

const defaultTimeouts: Timeouts = { headersSeconds: 60, idleSeconds: 30, wholeSeconds: 120 };

export function createAdeClient(deps: AdeClientDeps): AdeClient {
  const timeouts = { ...defaultTimeouts, ...deps.timeouts };
  const exchange = createExchange({
    baseUrl: deps.baseUrl,
    userAgent: deps.userAgent,
    transport: deps.transport ?? sharedTransport(),
    now: deps.now,
    onCall: deps.onCall,
  });
  const sessions = createSessions({
    integrationId: deps.integrationId,
    baseUrl: deps.baseUrl,
    credentials: deps.credentials,
    store: deps.sessions,
    exchange,
    timeouts,
    now: deps.now,
    newNonce: deps.newNonce ?? randomUUID,
  });

  interface CallOptions {
    signal?: AbortSignal | undefined;
    /** False: sent once, whatever comes of it. */
    mayRepeat?: boolean;
  }

  /** At most two requests and one renewal, whatever Apple answers. */
  async function call<T>(
    request: AdeRequest,
    read: (body: unknown) => T,
    { signal, mayRepeat = true }: CallOptions = {},
  ): Promise<T> {
    const send = async (session: AdeSession): Promise<Outcome<T> & { session: AdeSession }> => {
      const outcome = await exchange(request, read, {
        authentication: { 'X-ADM-Auth-Session': session.token },
        secrets: [session.token],
        timeouts,
        signal,
      });
      const { freshSession } = outcome;
      const adopted = freshSession === null ? session : await sessions.adopt(session, freshSession);
      return { ...outcome, session: adopted };
    };

    const first = await send(await unlessAborted(sessions.current(), signal));
    if (first.error === undefined) return first.value;
    if (!saysSessionIsDead(first.error)) throw first.error;

    const renewal = sessions.renew(first.session);
    if (!mayRepeat) {
      // For whoever asks next; this request has had its one try.
      await renewal.catch(() => undefined);
      throw first.error;
    }
    const second = await send(await unlessAborted(renewal, signal));
    if (second.error === undefined) return second.value;
    throw second.error;
  }

  /** `ask` with the serials in Apple's form; without any, Apple need not be asked. */
  async function forSerials<T>(
    serials: readonly string[],
    request: (batch: string[]) => AdeRequest,
    read: (body: unknown, batch: string[]) => T,
    options?: CallOptions,
  ): Promise<T> {
    const batch = batchOf(serials);
    if (batch.length === 0) return read({ devices: {} }, batch);
    return call(request(batch), (body) => read(body, batch), options);
  }

  return {
    account: () => call(accountRequest(), readAccountReply),
    fetchDevices: async (page) =>
      call(fetchDevicesRequest(page), readDevicePageReply, { signal: page.signal }),
    syncDevices: async (page) =>
      call(syncDevicesRequest(page), readDevicePageReply, { signal: page.signal }),
    deviceDetails: (serials) => forSerials(serials, deviceDetailsRequest, readDeviceDetailsReply),
    disownDevices: (serials) =>
      forSerials(serials, disownDevicesRequest, readDisownDevicesReply, { mayRepeat: false }),
    defineProfile: (profile) => call(defineProfileRequest(profile), readDefineProfileReply),
    getProfile: (profileUuid) => call(getProfileRequest(profileUuid), readGetProfileReply),
    assignProfile: (profileUuid, serials) =>
      forSerials(
        serials,
        (batch) => assignProfileRequest(profileUuid, batch),
        readAssignProfileReply,
      ),
    removeProfile: (serials) => forSerials(serials, removeProfileRequest, readRemoveProfileReply),
  };
}

const deadSessionCodes: ReadonlySet<AdeCode> = new Set<AdeCode>([
  'UNAUTHORIZED',
  'FORBIDDEN',
  'TOKEN_EXPIRED',
  'TOKEN_REJECTED',
]);

/**
 * A session that Apple no longer takes: 401, or 403 in so many words. Terms unsigned, access denied or
 * betas turned off are said of the organization, and a new session changes nothing.
 */
function saysSessionIsDead({ status, code }: AdeError): boolean {
  return (status === 401 || status === 403) && deadSessionCodes.has(code);
}

/** Lets one caller go while a renewal that others wait for runs on. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    work.catch(() => undefined);
  }
}
