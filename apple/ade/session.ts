import { setTimeout as sleep } from 'node:timers/promises';
import type { AdeSession, AdeSessionStore } from '../../domain/ade.ts';
import type { ServerToken } from '../../domain/token.ts';
import { AdeError } from './errors.ts';
import { endpointUrl, readSessionToken, type AdeRequest, type Exchange } from './exchange.ts';
import { oauth1Header } from './oauth1.ts';
import { requireObject, ShapeError } from './shape.ts';
import type { Timeouts } from './transport.ts';

/** A session is a small answer; and the claim on its renewal must outlive the call. */
const longestSeconds = 30;
const leaseSeconds = 45;
const pollMilliseconds = 100;

/** https://developer.apple.com/documentation/devicemanagement/authenticating-for-automated-device-enrollment */
function sessionRequest(): AdeRequest {
  return { endpoint: 'GET /session' };
}

function readSessionReply(body: unknown): string {
  const token = readSessionToken(requireObject(body, 'the body')['auth_session_token']);
  if (token === null) throw new ShapeError('auth_session_token', 'a token');
  return token;
}

/**
 * The session of one integration, shared with every process that uses the same store. How long Apple
 * keeps one alive is not documented, so it is used until refused; nor is whether a token may have two,
 * so only one caller at a time asks for a new one.
 */
export interface Sessions {
  /** The one in use; asks Apple when there is none. */
  current(): Promise<AdeSession>;
  /** Another one than `dead`: what somebody else got in the meantime, else a new one from Apple. */
  renew(dead: AdeSession): Promise<AdeSession>;
  /** Apple sent a token along with an answer to `used`: from now on that one counts. */
  adopt(used: AdeSession, token: string): Promise<AdeSession>;
}

export function createSessions(deps: {
  integrationId: string;
  baseUrl: string;
  credentials: () => Promise<ServerToken>;
  store: AdeSessionStore;
  exchange: Exchange;
  timeouts: Timeouts;
  now: () => Date;
  newNonce: () => string;
}): Sessions {
  const { integrationId, store } = deps;
  const wholeSeconds = Math.min(deps.timeouts.wholeSeconds, longestSeconds);
  const url = endpointUrl(deps.baseUrl)('GET /session');
  let pending: Promise<AdeSession> | undefined;

  async function another(dead: AdeSession | undefined): Promise<AdeSession> {
    for (;;) {
      pending ??= claimAndRenew(dead).finally(() => {
        pending = undefined;
      });
      const session = await pending;
      // A renewal that was under way may have started from less knowledge than ours.
      if (!isSame(session, dead)) return session;
    }
  }

  async function claimAndRenew(dead: AdeSession | undefined): Promise<AdeSession> {
    // Long enough for two holders of the claim to die one after the other.
    const polls = (2 * leaseSeconds * 1000) / pollMilliseconds;
    for (let poll = 0; poll < polls; poll += 1) {
      const found = await store.find(integrationId);
      if (found !== undefined && !isSame(found, dead)) return found;
      const seen = found?.generation ?? 0;
      const claimed = await store.claimRenewal(integrationId, seen, leaseSeconds);
      if (claimed !== null) return renewFrom(claimed);
      await sleep(pollMilliseconds);
    }
    const detail = 'other processes are renewing the session and do not finish';
    throw new AdeError('unreachable', { endpoint: 'GET /session', status: null, detail });
  }

  async function renewFrom(claimed: number): Promise<AdeSession> {
    try {
      const token = await askApple(await deps.credentials());
      return await store.saveRenewed(integrationId, claimed, token);
    } catch (error) {
      // If even this fails, the claim runs out by itself: the first failure is the one to tell.
      await store.releaseClaim(integrationId, claimed).catch(() => undefined);
      throw error;
    }
  }

  async function askApple(token: ServerToken): Promise<string> {
    const authorization = oauth1Header({
      url,
      token,
      timestamp: Math.floor(deps.now().getTime() / 1000),
      nonce: deps.newNonce(),
    });
    const { consumerKey, consumerSecret, accessToken, accessSecret } = token;
    const outcome = await deps.exchange(sessionRequest(), readSessionReply, {
      authentication: { Authorization: authorization },
      secrets: [consumerKey, consumerSecret, accessToken, accessSecret],
      timeouts: { ...deps.timeouts, wholeSeconds },
    });
    if (outcome.error !== undefined) throw outcome.error;
    return outcome.value;
  }

  return {
    current: async () => (await store.find(integrationId)) ?? another(undefined),
    renew: another,
    adopt: async (used, token) => {
      if (token === used.token) return used;
      // Not worth an answer of Apple's: without it, the next call renews.
      await store.adopt(integrationId, used.generation, token).catch(() => undefined);
      return { token, generation: used.generation };
    },
  };
}

function isSame(session: AdeSession, other: AdeSession | undefined): boolean {
  return session.token === other?.token && session.generation === other.generation;
}
