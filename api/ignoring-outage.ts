import type { Logger } from 'pino';
import { DomainError } from '../domain/errors.ts';

/**
 * Tells the sync loop something that stands in Postgres already. While the engine is away nothing is
 * lost: the loop reads the facts at its next look, and the watchdog starts a loop that is missing.
 */
export async function ignoringOutage<T>(
  logger: Logger,
  tell: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await tell();
  } catch (error) {
    if (!(error instanceof DomainError && error.code === 'temporal_unavailable')) throw error;
    logger.warn({ code: error.code }, 'the sync loop could not be told; it will see by itself');
    return undefined;
  }
}
