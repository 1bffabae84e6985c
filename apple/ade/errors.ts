import type { AdeCode } from '../../domain/ade.ts';

export type AdeEndpoint =
  | 'GET /session'
  | 'GET /account'
  | 'POST /server/devices'
  | 'POST /devices/sync'
  | 'POST /devices'
  | 'POST /devices/disown'
  | 'POST /profile'
  | 'GET /profile'
  | 'PUT /profile/devices'
  | 'DELETE /profile/devices';

/**
 * Apple's device assignment service refused (`status` and Apple's code), gave no answer
 * (`unreachable`, status null), or answered other than it promises (`bad_reply`). Holds no secret:
 * `detail` is Apple's own words, cut to 200 characters and with tokens struck out.
 */
export class AdeError extends Error {
  readonly code: AdeCode;
  readonly endpoint: AdeEndpoint;
  readonly status: number | null;
  readonly retryAfterSeconds: number | null;
  readonly detail: string;

  constructor(
    code: AdeCode,
    facts: {
      endpoint: AdeEndpoint;
      status: number | null;
      retryAfterSeconds?: number | null;
      detail: string;
      cause?: unknown;
    },
  ) {
    const told = facts.detail === '' || facts.detail === code ? '' : `: ${facts.detail}`;
    super(
      `${facts.endpoint}: ${summary(code, facts.status)}${told}`,
      facts.cause === undefined ? undefined : { cause: facts.cause },
    );
    this.name = 'AdeError';
    this.code = code;
    this.endpoint = facts.endpoint;
    this.status = facts.status;
    this.retryAfterSeconds = facts.retryAfterSeconds ?? null;
    this.detail = facts.detail;
  }
}

function summary(code: AdeCode, status: number | null): string {
  if (code === 'unreachable') return 'no answer from Apple';
  if (code === 'bad_reply') return "Apple's answer is not what it promises";
  const word = code === 'unknown' ? 'a refusal we do not know' : code;
  return `Apple answered ${status === null ? '' : `${status} `}${word}`;
}
