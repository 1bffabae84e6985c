import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, MiddlewareHandler, Next } from 'hono';
import { DomainError } from '../../domain/errors.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { openAnswer, sealAnswer } from '../sealed-answer.ts';

/** Longer than the longest request (`?wait=60`), so that a claim outlives no living request. */
const leaseSeconds = 90;
const keptHeaders = ['content-type', 'content-disposition', 'location'];

/**
 * `Idempotency-Key` on a write: the first request does it, a repetition gets the first one's answer.
 * Only success is kept: what failed has changed nothing and may be tried again under the same key.
 * https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 */
export function idempotent(
  deps: Pick<ApiDeps, 'idempotency' | 'now'>,
  patienceSeconds = 5,
): MiddlewareHandler<ApiEnv> {
  const { idempotency, now } = deps;

  idempotents.add(handle);
  return handle;

  async function handle(c: Context<ApiEnv>, next: Next): Promise<Response | undefined> {
    const key = c.req.header('idempotency-key');
    if (key === undefined) {
      await next();
      return undefined;
    }
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw badKey();

    const apiKeyId = c.get('apiKey').id;
    const secret = (c.req.header('authorization') ?? '').replace(/^Bearer +/i, '').trimEnd();
    const fingerprint = await fingerprintOf(c);
    const claim = async () =>
      idempotency.claim({ apiKeyId, key, fingerprint, leaseSeconds, now: now() });

    const giveUpAt = performance.now() + patienceSeconds * 1000;
    let claimed = await claim();
    while (claimed.outcome === 'in_progress') {
      if (performance.now() >= giveUpAt) throw stillRunning();
      await sleep(100);
      claimed = await claim();
    }

    if (claimed.outcome === 'reused') throw keyReused();
    if (claimed.outcome === 'replay') {
      const kept = openAnswer(claimed.answer, secret, key);
      const headers = { ...kept.headers, 'idempotency-replayed': 'true' };
      return new Response(kept.body === '' ? null : Buffer.from(kept.body, 'base64'), {
        status: kept.status,
        headers,
      });
    }

    await next();
    if (c.error !== undefined || !c.res.ok) {
      await idempotency.release({ apiKeyId, key });
      return undefined;
    }
    const answer = sealAnswer(await keep(c.res), secret, key);
    await idempotency.finish({ apiKeyId, key, answer, now: now() });
    return undefined;
  }
}

const idempotents = new WeakSet<object>();

/** For the OpenAPI document: whether a call with this middleware takes an `Idempotency-Key`. */
export const isIdempotent = (middleware: object): boolean => idempotents.has(middleware);

async function keep(response: Response) {
  const body = Buffer.from(await response.clone().arrayBuffer()).toString('base64');
  const headers: Record<string, string> = {};
  for (const name of keptHeaders) {
    const value = response.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  return { status: response.status, headers, body };
}

/** A multipart boundary is new in every repetition, so it is left out. */
async function fingerprintOf(c: Context<ApiEnv>): Promise<Uint8Array> {
  const url = new URL(c.req.url);
  const type = c.req.header('content-type') ?? '';
  const boundary = /^multipart\/.*boundary="?([^";]+)"?/i.exec(type)?.[1];
  const body = Buffer.from(await c.req.arrayBuffer());
  const hash = createHash('sha256').update(`${c.req.method}\n${url.pathname}${url.search}\n`);
  if (boundary === undefined) hash.update(body);
  else hash.update(body.toString('latin1').replaceAll(boundary, ''), 'latin1');
  return new Uint8Array(hash.digest());
}

const badKey = () =>
  new DomainError('invalid_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters.', {
    fields: [
      { path: 'header.idempotency-key', message: 'Must be 1 to 255 visible ASCII characters.' },
    ],
  });

const keyReused = () =>
  new DomainError(
    'idempotency_key_reused',
    'This Idempotency-Key was used for another request; take a new key for each new request.',
  );

const stillRunning = () =>
  new ApiError(
    'conflict',
    'The first request with this Idempotency-Key is still being worked on.',
    {
      'retry-after': '2',
    },
  );
