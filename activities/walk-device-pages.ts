import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import type { AdeClient } from '../domain/ade.ts';
import type { SyncStore, WalkStart } from '../domain/sync.ts';
import { toFailure } from './to-failure.ts';
import { Slice } from './walk-slice.ts';
import type { WalkInput, WalkResult } from './walk-input.ts';

export interface WalkDeps {
  sync: SyncStore;
  ade: (integrationId: string) => AdeClient;
  now: () => Date;
  /** From 0 to 1. */
  random: () => number;
  logger: Logger;
}

const heartbeatMs = 3_000;

/**
 * Walks Apple's list from the position that Postgres holds, for a slice of at most 200 pages or a
 * minute. Safe to run twice, even at the same time: every page is fenced by the position it started
 * from and the loser of two attempts writes nothing. A cancellation ends it between two pages, with
 * `continues`.
 */
export function createWalkDevicePages(deps: WalkDeps) {
  /**
   * What another attempt does not mend (a key that opens nothing, a page that Postgres refuses) ends
   * the run, where people see it; the loop tries again at its next due time.
   */
  async function endedBy(error: unknown, slice: Slice): Promise<WalkResult> {
    const failure = toFailure(error, Context.current().info.attempt);
    if (!(failure instanceof ApplicationFailure) || failure.nonRetryable !== true) throw error;
    deps.logger.error({ err: error }, 'a fault of our own ends the run');
    const { type, message } = failure;
    return slice.failed({ code: type ?? 'internal_error', message });
  }

  return async function walkDevicePages(input: WalkInput): Promise<WalkResult> {
    const { integrationId, runId, trigger } = input;
    const begun = await deps.sync.begin({ integrationId, runId, trigger, now: deps.now() });
    if (begun.outcome === 'gone') return begun;
    if (begun.outcome === 'blocked') return { ...begun, run: null };
    noteMoved(deps.logger, input, begun);

    const context = Context.current();
    let progress: unknown = { cursor: begun.position.cursor, pages: 0 };
    // Apple may take longer over one page than a heartbeat may stay away.
    const beating = setInterval(() => {
      context.heartbeat(progress);
    }, heartbeatMs);
    try {
      const slice = new Slice(
        {
          ...deps,
          ade: deps.ade(integrationId),
          cancelled: context.cancellationSignal,
          onPage: (page) => {
            progress = page;
            context.heartbeat(progress);
          },
        },
        input,
        begun,
      );
      return await slice.walk().catch((error: unknown) => endedBy(error, slice));
    } finally {
      clearInterval(beating);
    }
  };
}

/** After a crash or a new token Postgres knows better than the workflow; that is worth a line. */
function noteMoved(logger: Logger, input: WalkInput, { position }: WalkStart): void {
  if (input.position === null || input.position.cursor === position.cursor) return;
  logger.info(
    { integrationId: input.integrationId, phase: position.phase },
    'the stored position differs from the workflow: walking on from the stored one',
  );
}
