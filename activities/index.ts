import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { createEnsureLoops, type EnsureLoopsDeps } from './ensure-loops.ts';
import { toFailure } from './to-failure.ts';
import { createWalkDevicePages, type WalkDeps } from './walk-device-pages.ts';

export type ActivityDeps = WalkDeps & EnsureLoopsDeps & { logger: Logger };
export type Activities = ReturnType<typeof createActivities>;

/** The list of effects. What one throws reaches Temporal as a failure that holds no secret. */
export function createActivities(deps: ActivityDeps) {
  return {
    walkDevicePages: failing(deps.logger, createWalkDevicePages(deps)),
    ensureLoops: failing(deps.logger, createEnsureLoops(deps)),
  };
}

function failing<A extends unknown[], R>(logger: Logger, run: (...args: A) => Promise<R>) {
  return async (...args: A): Promise<R> => {
    try {
      return await run(...args);
    } catch (error) {
      logger.error({ err: error, activity: run.name }, 'activity failed');
      throw toFailure(error, Context.current().info.attempt);
    }
  };
}
