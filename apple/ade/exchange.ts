import type { AdeCode } from '../../domain/ade.ts';
import { AdeError, type AdeEndpoint } from './errors.ts';
import { parseRefusal } from './refusal.ts';
import { ShapeError } from './shape.ts';
import {
  NoAnswerError,
  type HttpReply,
  type HttpRequest,
  type Timeouts,
  type Transport,
} from './transport.ts';

/**
 * 10 turns on `retry_after_seconds` and the newest device fields; Apple clamps what is higher.
 */
const protocolVersion = '10';

export interface AdeRequest {
  endpoint: AdeEndpoint;
  query?: Record<string, string>;
  body?: unknown;
}

/** One HTTP exchange, for metrics. `ok` or the code that it ended with. */
export interface AdeCall {
  endpoint: AdeEndpoint;
  code: AdeCode | 'ok';
  seconds: number;
}

export interface ExchangeDeps {
  /** `https://mdmenrollment.apple.com`, or where a simulator listens. */
  baseUrl: string;
  /** Apple refuses some products by name, so it is the operator's to choose. */
  userAgent: string;
  transport: Transport;
  now: () => Date;
  onCall: ((call: AdeCall) => void) | undefined;
}

interface ExchangeOptions {
  authentication: Record<string, string>;
  /** Struck out of whatever Apple's refusal repeats. */
  secrets: readonly string[];
  timeouts: Timeouts;
  signal?: AbortSignal | undefined;
}

/** Either half carries the session token that Apple may send with any answer. */
export type Outcome<T> =
  | { error?: undefined; value: T; freshSession: string | null }
  | { error: AdeError; freshSession: string | null };

/** Throws only when the caller gives up; every failure of Apple's is an outcome. */
export type Exchange = <T>(
  request: AdeRequest,
  read: (body: unknown) => T,
  options: ExchangeOptions,
) => Promise<Outcome<T>>;

export function createExchange(deps: ExchangeDeps): Exchange {
  const url = endpointUrl(deps.baseUrl);
  return async (request, read, options) => {
    const started = performance.now();
    const outcome = await judge(request, read, options);
    deps.onCall?.({
      endpoint: request.endpoint,
      code: outcome.error?.code ?? 'ok',
      seconds: (performance.now() - started) / 1000,
    });
    return outcome;
  };

  async function judge<T>(
    request: AdeRequest,
    read: (body: unknown) => T,
    options: ExchangeOptions,
  ): Promise<Outcome<T>> {
    const { endpoint } = request;
    let reply: HttpReply;
    try {
      reply = await deps.transport({
        method: methodOf(endpoint),
        url: url(endpoint, request.query),
        headers: {
          ...options.authentication,
          'X-Server-Protocol-Version': protocolVersion,
          'User-Agent': deps.userAgent,
          'Content-Type': 'application/json;charset=UTF8',
        },
        body: request.body === undefined ? null : JSON.stringify(request.body),
        timeouts: options.timeouts,
        signal: options.signal,
      });
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      const { message: detail, cause } = error;
      const facts = { endpoint, status: null, detail, cause };
      return { error: new AdeError('unreachable', facts), freshSession: null };
    }

    const freshSession = readSessionToken(header(reply, 'x-adm-auth-session'));
    if (reply.status < 200 || reply.status > 299) {
      const error = parseRefusal({
        endpoint,
        status: reply.status,
        body: reply.body,
        retryAfter: header(reply, 'retry-after'),
        date: header(reply, 'date'),
        secrets: options.secrets,
        now: deps.now(),
      });
      return { error, freshSession };
    }
    try {
      return { value: read(parseBody(reply)), freshSession };
    } catch (error) {
      const code = codeOf(error);
      // Without the cause: what JSON.parse says quotes the body, which may be a session token.
      const detail = (error as Error).message;
      return {
        error: new AdeError(code, { endpoint, status: reply.status, detail }),
        freshSession,
      };
    }
  }
}

/** A token that may go into a header again; null when there is none. */
export function readSessionToken(value: unknown): string | null {
  return typeof value === 'string' && /^[\x21-\x7e]{1,4096}$/.test(value) ? value : null;
}

/** Builds the address of an endpoint under a base that may have a path of its own. */
export function endpointUrl(
  baseUrl: string,
): (endpoint: AdeEndpoint, query?: Record<string, string>) => URL {
  const base = new URL(baseUrl);
  const prefix = base.origin + base.pathname.replace(/\/+$/, '');
  return (endpoint, query) => {
    const url = new URL(prefix + endpoint.slice(endpoint.indexOf(' ') + 1));
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    return url;
  };
}

function methodOf(endpoint: AdeEndpoint): HttpRequest['method'] {
  return endpoint.slice(0, endpoint.indexOf(' ')) as HttpRequest['method'];
}

function header(reply: HttpReply, name: string): string | null {
  const value = reply.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

function parseBody(reply: HttpReply): unknown {
  if (reply.isCut) throw new ShapeError('the body', 'of a size that a page can have');
  const text = reply.body;
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch {
    // What begins as Apple's answers do and does not parse was cut on its way: as good as no answer.
    if (/^\uFEFF?\s*\{/.test(text)) throw new NoAnswerError('the answer broke off');
    throw new ShapeError('the body', text.trim() === '' ? 'there' : 'JSON');
  }
}

function codeOf(error: unknown): 'unreachable' | 'bad_reply' {
  if (error instanceof NoAnswerError) return 'unreachable';
  if (error instanceof ShapeError) return 'bad_reply';
  throw error;
}
