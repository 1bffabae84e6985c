import type { RunError, SyncBlock } from './sync.ts';

const messages: Record<SyncBlock, string> = {
  awaiting_token: 'There is no server token yet: upload one.',
  token_expired: 'The server token has expired: renew it in Apple Business Manager and upload it.',
  token_rejected:
    'Apple does not accept the server token any more: download a new one in Apple Business Manager and upload it.',
  terms_not_signed:
    'Apple has new terms and conditions: somebody with the Administrator role must accept them in Apple Business Manager.',
  paused: 'The sync of this integration is paused: resume it.',
};

/** Why a walk may not run, for people. */
export function blockError(block: SyncBlock): RunError {
  return { code: block, message: messages[block] };
}
