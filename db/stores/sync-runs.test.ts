import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { StaleWalkError, type SyncMode } from '../../domain/sync.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { insertIntegration, testActor } from '../../test/factories.ts';
import { newId } from '../new-id.ts';
import { createAuditStore } from './audit.ts';
import { createSyncRunStore } from './sync-runs.ts';
import { createSyncStore } from './sync.ts';

let database: TestDatabase;
let integrationId: string;
const now = new Date('2026-02-01T00:00:00Z');
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.drop();
});
beforeEach(async () => {
  await database.sql`truncate integrations, audit_events cascade`;
  integrationId = await insertIntegration(database);
});

describe('Sync Now', () => {
  it('queues a run, which the next walk takes up', async () => {
    const { run, joined } = await request('delta');
    expect(joined).toBe(false);
    expect(run).toMatchObject({ state: 'queued', trigger: 'manual', mode: 'delta' });
    expect(await begin()).toMatchObject({ run: { id: run.id, state: 'running', mode: 'full' } });
    expect(await runs().find(run.id)).toMatchObject({
      state: 'running',
      startedAt: now.toISOString(),
    });
  });

  it('asked many times at once is one run', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => request('delta')));
    expect(new Set(answers.map((answer) => answer.run.id)).size).toBe(1);
    expect(answers.filter((answer) => !answer.joined)).toHaveLength(1);
  });

  it('turns a queued delta into a full run when a full one is asked for', async () => {
    const delta = await request('delta');
    const full = await request('full');
    expect(full).toMatchObject({ joined: true, run: { id: delta.run.id, mode: 'full' } });
  });

  it('joins a running full run, whatever is asked for', async () => {
    const walk = await begin();
    expect(await request('delta')).toMatchObject({ joined: true, run: { id: walk.run.id } });
    expect(await request('full')).toMatchObject({ joined: true, run: { id: walk.run.id } });
  });

  it('for a full run waits behind a running delta, and then walks from the start', async () => {
    await atDelta();
    await request('delta');
    const delta = await begin();
    expect(delta.run.mode).toBe('delta');
    const full = await request('full');
    expect(full).toMatchObject({ joined: false, run: { state: 'queued', mode: 'full' } });
    expect((await begin()).run.id).toBe(delta.run.id);
    await finish(delta.run.id);
    expect(await begin()).toMatchObject({
      run: { id: full.run.id, mode: 'full' },
      position: { phase: 'fetch', cursor: null },
    });
  });

  it('is cancelled while it is queued, and not after', async () => {
    const { run } = await request('delta');
    expect(await runs().cancelQueued(run.id, now, testActor)).toBe(true);
    expect(await runs().cancelQueued(run.id, now, testActor)).toBe(false);
    expect(await runs().cancelQueued(newId(), now, testActor)).toBe(false);
    expect(await runs().find(run.id)).toMatchObject({ state: 'cancelled' });
    const trail = await createAuditStore(database).list({ limit: 10, cursor: null });
    expect(trail.items.filter(({ action }) => action === 'sync.cancelled')).toMatchObject([
      { actor: testActor, object: { id: integrationId }, after: { runId: run.id } },
    ]);
  });

  it('that was told to be cancelled is not taken up by a walk that begins at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { run } = await request('delta');
      const [cancelled, walk] = await Promise.all([
        runs().cancelQueued(run.id, now, testActor),
        begin(),
      ]);
      expect(walk.run.id === run.id).toBe(!cancelled);
      expect((await runs().find(run.id))?.state).toBe(cancelled ? 'cancelled' : 'running');
      await finish(walk.run.id);
    }
  });

  it('that is ended while its walk begins stays ended', async () => {
    const { run } = await request('delta');
    const holder = await database.sql.reserve();
    await holder`begin`;
    await holder`update sync_runs set state = 'failed', finished_at = ${now} where id = ${run.id}`;
    const walk = beginAnyhow();
    await untilSomebodyWaits();
    await holder`commit`;
    holder.release();
    await expect(walk).rejects.toThrow(StaleWalkError);
    expect(await runs().find(run.id)).toMatchObject({ state: 'failed' });
  });

  it('for an integration that is not there is not found', async () => {
    integrationId = newId();
    await expect(request('delta')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('the beginning of a walk', () => {
  it('resumes the run that a crash left, from where it stood', async () => {
    const first = await begin();
    expect(await begin()).toEqual(first);
  });

  it('ends what is open when the token has expired', async () => {
    await begin();
    await database.sql`update integrations set token_expires_at = ${now}`;
    expect(await beginAnyhow()).toMatchObject({ outcome: 'blocked', block: 'token_expired' });
    expect((await runs().list(integrationId, { limit: 5, cursor: null })).items).toMatchObject([
      { state: 'failed', error: { code: 'token_expired' } },
    ]);
  });

  it('leaves what is open waiting while it is paused, and resumes it', async () => {
    const { run } = await begin();
    await database.sql`update integrations set paused_at = ${now}`;
    expect(await beginAnyhow()).toMatchObject({ outcome: 'blocked', block: 'paused' });
    expect(await runs().find(run.id)).toMatchObject({ state: 'waiting', waitingFor: 'paused' });
    await database.sql`update integrations set paused_at = null`;
    expect(await begin()).toMatchObject({
      run: { id: run.id, state: 'running', waitingFor: null },
    });
  });

  it('probes unsigned terms at once, and a rejected token once an hour', async () => {
    await database.sql`update integrations set token_state = 'terms_not_signed'`;
    expect(await beginAnyhow()).toMatchObject({ outcome: 'walk' });
    const rejectedAt = new Date(now.getTime() - 3599_000);
    await database.sql`update integrations set token_state = 'rejected', token_state_at = ${rejectedAt}`;
    expect(await beginAnyhow()).toMatchObject({ outcome: 'blocked', block: 'token_rejected' });
    await database.sql`update integrations set token_state_at = token_state_at - interval '1 second'`;
    expect(await beginAnyhow()).toMatchObject({ outcome: 'walk' });
  });

  it('of an integration that is not there says so', async () => {
    integrationId = newId();
    expect(await beginAnyhow()).toEqual({ outcome: 'gone' });
  });

  it('asks for as many devices as all three limits allow', async () => {
    await database.sql`update integrations set page_size = 300, fetch_limit = 200, sync_limit = null`;
    expect((await begin()).limit).toBe(200);
  });
});

describe('runs', () => {
  it('are listed newest first, page by page', async () => {
    for (let n = 0; n < 5; n += 1)
      await database.sql`
        insert into sync_runs (id, integration_id, trigger, mode, state, queued_at)
        values (${newId()}, ${integrationId}, 'schedule', 'delta', 'succeeded',
          ${new Date(now.getTime() + (n >> 1))})`;
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<ReturnType<typeof runs>['list']>> = await runs().list(
        integrationId,
        { limit: 2, cursor },
      );
      ids.push(...page.items.map((run) => run.id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(ids).toHaveLength(5);
    expect(ids).toEqual([...ids].sort().reverse());
  });
});

const runs = () => createSyncRunStore(database);

function request(mode: SyncMode) {
  return runs().request({ integrationId, mode, now, actor: testActor });
}

function beginAnyhow() {
  const input = { integrationId, runId: newId(), trigger: 'schedule', now } as const;
  return createSyncStore(database).begin(input);
}

async function begin() {
  const begun = await beginAnyhow();
  if (begun.outcome !== 'walk') throw new Error(begun.outcome);
  return begun;
}

async function atDelta() {
  await database.sql`
    update sync_positions set phase = 'sync', cursor = 'd', last_full_at = ${now}`;
}

async function finish(id: string) {
  await database.sql`update sync_runs set state = 'succeeded', finished_at = ${now} where id = ${id}`;
}

async function untilSomebodyWaits() {
  for (;;) {
    const waiting = await database.sql`
      select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if (waiting.length > 0) return;
  }
}
