import type { Logger } from 'pino';
import { DomainError } from '../domain/errors.ts';

/**
 * Tells the sync loop something that stands in Postgres already. Lost, it costs five minutes: that
 * often every loop, blocked or not, reads the facts, and the watchdog starts one that is missing.
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
