import type { ISql } from 'postgres';
import { StaleWalkError, type SyncPosition } from '../../domain/sync.ts';

/** A client or a transaction of it. */
export type Queries = ISql;

interface Fence {
  integrationId: string;
  from: SyncPosition;
}

interface Move extends Fence {
  to: SyncPosition;
  now: Date;
  /** Apple has told everything: the walk is at its end. */
  complete?: boolean;
  startsWalk?: boolean;
  finishesWalk?: boolean;
}

/**
 * Moves the stored position on, if it still is where this attempt started from; throws
 * `StaleWalkError` otherwise. Holds the row until the transaction ends, so that attempts on one
 * integration follow one another.
 */
export async function movePosition(sql: Queries, move: Move): Promise<void> {
  const { integrationId, from, to, now } = move;
  const moved = await sql`
    update sync_positions set
      phase = ${to.phase}, cursor = ${to.cursor}, walk_id = ${to.walkId},
      cursor_at = ${to.cursor === null ? null : now},
      walk_started_at = case
        when ${move.startsWalk ?? false} then ${now}
        when ${to.walkId === null} then null
        else walk_started_at
      end,
      last_full_at = case when ${move.finishesWalk ?? false} then ${now} else last_full_at end,
      last_checked_at = case when ${move.complete ?? false} then ${now} else last_checked_at end
    where integration_id = ${integrationId} and phase = ${from.phase}
      and cursor is not distinct from ${from.cursor}
      and walk_id is not distinct from ${from.walkId}`;
  if (moved.count === 0) throw new StaleWalkError();
}

/** Two open runs of one integration: the other attempt has opened its own. */
export function staleIfDoubled(error: unknown): unknown {
  const { code, constraint_name: constraint } = error as {
    code?: string;
    constraint_name?: string;
  };
  return code === '23505' && constraint === 'sync_runs_one_open' ? new StaleWalkError() : error;
}
