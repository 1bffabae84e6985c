import type { AdeError } from '../apple/ade/errors.ts';
import type { AdeCode } from '../domain/ade.ts';
import type { RunError } from '../domain/sync.ts';

const ours: Partial<Record<AdeCode, string>> = {
  unreachable: 'apple_unreachable',
  bad_reply: 'apple_bad_reply',
  unknown: 'apple_refused',
};

/** A refusal of Apple's as a run shows it: our code where Apple said nothing usable, else its own word. */
export function refusalOf(error: AdeError): RunError {
  return { code: ours[error.code] ?? error.code, message: error.message };
}
