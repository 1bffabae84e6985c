import type { Sql } from 'postgres';
import { blockError } from '../../domain/block-error.ts';
import { syncBlock, type TokenState } from '../../domain/integration.ts';
import {
  StaleWalkError,
  type BeginWalk,
  type SyncBlock,
  type SyncPosition,
  type SyncRun,
  type SyncTrigger,
} from '../../domain/sync.ts';
import { newId } from '../new-id.ts';
import { movePosition, type Queries } from './sync-position.ts';
import { columnsOf, toSyncRun, type SyncRunColumns } from './sync-run-rows.ts';

interface BeginInput {
  integrationId: string;
  runId: string;
  trigger: SyncTrigger;
  now: Date;
}

interface Facts {
  position: SyncPosition;
  lastFullAt: Date | null;
  limit: number;
  tokenExpiresAt: string | null;
  block: SyncBlock | null;
  /** Apple refused when asked last: this walk asks whether it still does. */
  probes: boolean;
  open: SyncRun | null;
  queued: SyncRun | null;
}

const hour = 3600_000;
const reconcileMs = 7 * 24 * hour;

/** See `SyncStore.begin`. Reads once; only a cycle that has something to write takes locks. */
export async function beginWalk(sql: Sql, input: BeginInput): Promise<BeginWalk> {
  const facts = await readFacts(sql, input, false);
  if (facts === null) return { outcome: 'gone' };
  const { block, open, queued, tokenExpiresAt } = facts;
  if (block !== null && open === null && queued === null)
    return { outcome: 'blocked', block, tokenExpiresAt };
  if (isIdle(facts, input)) return walk(facts, newRun(input, 'delta', input.trigger));
  return sql.begin(async (tx) => {
    const locked = await readFacts(tx, input, true);
    if (locked === null) return { outcome: 'gone' } as const;
    if (locked.block !== null) return endBlocked(tx, locked, locked.block, input);
    return openRun(tx, locked, input);
  });
}

/** A scheduled delta with nothing open: its run is written once it has something to say. */
function isIdle(facts: Facts, { trigger, now }: BeginInput): boolean {
  return (
    trigger === 'schedule' &&
    facts.block === null &&
    facts.open === null &&
    facts.queued === null &&
    facts.position.phase === 'sync' &&
    !isReconcileDue(facts, now)
  );
}

async function openRun(tx: Queries, facts: Facts, input: BeginInput): Promise<BeginWalk> {
  const { open, queued } = facts;
  const never = facts.position.phase === 'fetch' && facts.position.walkId === null;
  const asked = open === null && queued?.mode === 'full';
  const due = open === null && queued === null && isReconcileDue(facts, input.now);
  const startsWalk = never || asked || due;

  const position = startsWalk ? await startWalk(tx, facts.position, input) : facts.position;
  const taken = open ?? queued ?? newRun(input, 'delta', due ? 'reconcile' : input.trigger);
  const run: SyncRun = {
    ...taken,
    mode: startsWalk || position.phase === 'fetch' ? 'full' : taken.mode,
    state: 'running',
    startedAt: taken.startedAt ?? input.now.toISOString(),
    waitingFor: null,
    nextAttemptAt: null,
  };
  if (isShown(facts, run)) await saveRun(tx, run);
  return walk({ ...facts, position }, run);
}

/** A probe, like a scheduled delta, is not written until it has something to say. */
function isShown({ open, queued, probes }: Facts, run: SyncRun): boolean {
  if (open === null && queued !== null) return true;
  if (open !== null) return !probes;
  return run.trigger !== 'schedule' || (run.mode === 'full' && !probes);
}

async function startWalk(
  tx: Queries,
  from: SyncPosition,
  { integrationId, now }: BeginInput,
): Promise<SyncPosition> {
  const to: SyncPosition = { phase: 'fetch', cursor: null, walkId: newId(now.getTime()) };
  await movePosition(tx, { integrationId, from, to, now, startsWalk: true });
  await tx`delete from walk_pages where integration_id = ${integrationId}`;
  return to;
}

/** A pause leaves what is open waiting for the resume; whatever else holds the walk ends it. */
async function endBlocked(
  tx: Queries,
  facts: Facts,
  block: SyncBlock,
  { integrationId, now }: BeginInput,
): Promise<BeginWalk> {
  if (block === 'paused')
    await tx`
      update sync_runs set state = 'waiting', waiting_for = 'paused', next_attempt_at = null
      where integration_id = ${integrationId} and state in ('running', 'waiting')`;
  else {
    const { code, message } = blockError(block);
    await tx`
      update sync_runs set state = 'failed', error_code = ${code}, error_message = ${message},
        finished_at = ${now}, waiting_for = null, next_attempt_at = null
      where integration_id = ${integrationId} and state in ('queued', 'running', 'waiting')`;
  }
  return { outcome: 'blocked', block, tokenExpiresAt: facts.tokenExpiresAt };
}

async function saveRun(tx: Queries, run: SyncRun): Promise<void> {
  const columns = columnsOf(run);
  const { mode, state, started_at, waiting_for, next_attempt_at } = columns;
  const changes = { mode, state, started_at, waiting_for, next_attempt_at };
  const saved = await tx`
    insert into sync_runs ${tx(columns)} on conflict (id) do update set ${tx(changes)}
    where sync_runs.state in ('queued', 'running', 'waiting')`;
  if (saved.count === 0) throw new StaleWalkError();
}

function walk(facts: Facts, run: SyncRun): BeginWalk {
  const { position, limit, tokenExpiresAt } = facts;
  return { outcome: 'walk', run, position, limit, tokenExpiresAt: tokenExpiresAt ?? '' };
}

function newRun(input: BeginInput, mode: SyncRun['mode'], trigger: SyncTrigger): SyncRun {
  const at = input.now.toISOString();
  return {
    id: input.runId,
    integrationId: input.integrationId,
    trigger,
    mode,
    state: 'running',
    pages: 0,
    added: 0,
    modified: 0,
    removed: 0,
    unchanged: 0,
    queuedAt: at,
    startedAt: at,
    finishedAt: null,
    error: null,
    waitingFor: null,
    nextAttemptAt: null,
    report: null,
  };
}

function isReconcileDue({ position, lastFullAt }: Facts, now: Date): boolean {
  if (position.phase === 'fetch') return false;
  return lastFullAt === null || now.getTime() - lastFullAt.getTime() >= reconcileMs;
}

interface FactsRow {
  token_state: TokenState;
  token_state_at: Date | null;
  token_expires_at: Date | null;
  token_uploaded_at: Date | null;
  paused_at: Date | null;
  page_limit: number;
  phase: SyncPosition['phase'];
  cursor: string | null;
  walk_id: string | null;
  last_full_at: Date | null;
}

async function readFacts(
  sql: Queries,
  { integrationId, now }: BeginInput,
  lock: boolean,
): Promise<Facts | null> {
  if (lock)
    await sql`select 1 from sync_positions where integration_id = ${integrationId} for update`;
  const rows = await sql<(FactsRow & SyncRunColumns)[]>`
    select r.*, i.token_state, i.token_state_at, i.token_expires_at, i.token_uploaded_at, i.paused_at,
      least(i.page_size, i.fetch_limit, i.sync_limit) as page_limit,
      p.phase, p.cursor, p.walk_id, p.last_full_at
    from integrations i
    join sync_positions p on p.integration_id = i.id
    left join sync_runs r on r.integration_id = i.id and r.state in ('queued', 'running', 'waiting')
    where i.id = ${integrationId}`;
  const row = rows[0];
  if (row === undefined) return null;
  const runs = rows.flatMap((one) => ((one.id as string | null) === null ? [] : [toSyncRun(one)]));
  return {
    position: { phase: row.phase, cursor: row.cursor, walkId: row.walk_id },
    lastFullAt: row.last_full_at,
    limit: Math.max(1, row.page_limit),
    tokenExpiresAt: row.token_expires_at?.toISOString() ?? null,
    block: blockOf(row, now),
    probes: row.token_state === 'terms_not_signed' || row.token_state === 'rejected',
    open: runs.find((run) => run.state !== 'queued') ?? null,
    queued: runs.find((run) => run.state === 'queued') ?? null,
  };
}

/** Unsigned terms, and once an hour a rejected token, do not hold the walk: only Apple's answer can clear them. */
function blockOf(row: FactsRow, now: Date): SyncBlock | null {
  const token =
    row.token_expires_at === null
      ? null
      : {
          expiresAt: row.token_expires_at.toISOString(),
          uploadedAt: (row.token_uploaded_at ?? row.token_expires_at).toISOString(),
        };
  const pausedAt = row.paused_at?.toISOString() ?? null;
  const mayProbe =
    row.token_state === 'terms_not_signed' ||
    (row.token_state === 'rejected' &&
      (row.token_state_at === null || now.getTime() - row.token_state_at.getTime() >= hour));
  return syncBlock({ token, tokenState: mayProbe ? 'valid' : row.token_state, pausedAt }, now);
}
