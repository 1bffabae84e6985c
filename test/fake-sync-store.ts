import type { AppleDevice } from '../domain/device.ts';
import {
  StaleWalkError,
  type BeginWalk,
  type SyncPosition,
  type SyncRun,
  type SyncStore,
} from '../domain/sync.ts';
import { farExpiry, runOf } from './fake-walk.ts';

export interface FakeSyncStore extends SyncStore {
  position: SyncPosition;
  seen: Set<string>;
  runs: Map<string, SyncRun>;
  tokenState: string;
  /** Set: `begin` answers with it. */
  instead: BeginWalk | null;
  /** Called before a page is written. */
  beforePage: () => Promise<void>;
  /** Every write, in order: `page cursor-1`, `finish fetch`, … */
  log: string[];
}

/** The facts of one walk in memory, with the same fence as the real ones. */
export function createFakeSyncStore(position: SyncPosition): FakeSyncStore {
  const requireAt = (from: SyncPosition) => {
    if (JSON.stringify(from) !== JSON.stringify(store.position)) throw new StaleWalkError();
  };
  const save = (run: SyncRun) => {
    store.runs.set(run.id, run);
    return run;
  };
  const store: FakeSyncStore = {
    position,
    seen: new Set(),
    runs: new Map(),
    tokenState: 'unknown',
    instead: null,
    beforePage: () => Promise.resolve(),
    log: [],

    async begin({ integrationId, runId, trigger }) {
      if (store.instead !== null) return store.instead;
      const open = [...store.runs.values()].find((run) => run.finishedAt === null);
      const fresh = { ...runOf({ integrationId, runId, trigger }), pages: 0 };
      const run = save({ ...(open ?? fresh), state: 'running' });
      return {
        outcome: 'walk',
        run,
        position: store.position,
        limit: 100,
        tokenExpiresAt: farExpiry,
      };
    },
    preparePage: () => undefined,
    async applyPage({ run, from, page }) {
      await store.beforePage();
      requireAt(from);
      store.log.push(`page ${page.cursor}`);
      const added = page.devices.filter((device) => !store.seen.has(device.serial));
      for (const device of added) store.seen.add(device.serial);
      store.position = { ...from, cursor: page.cursor };
      const counts = { added: added.length, modified: 0, removed: 0, unchanged: 0 };
      const next = save({ ...run, pages: run.pages + 1, added: run.added + added.length });
      return { position: store.position, counts, run: next };
    },
    async finishFetch({ run, from }) {
      requireAt(from);
      store.log.push('finish fetch');
      store.position = { phase: 'sync', cursor: from.cursor, walkId: null };
      return { position: store.position, removed: 0, run: save(run) };
    },
    async restartFetch({ run, from }) {
      requireAt(from);
      store.log.push('restart fetch');
      store.position = { phase: 'fetch', cursor: null, walkId: 'walk-2' };
      return { position: store.position, run: save({ ...run, mode: 'full' }) };
    },
    async markWaiting({ run, waitingFor, nextAttemptAt }) {
      store.log.push(`waiting for ${waitingFor.code}`);
      const until = nextAttemptAt?.toISOString() ?? null;
      return save({ ...run, state: 'waiting', waitingFor: waitingFor.code, nextAttemptAt: until });
    },
    async finishRun({ run, state, error, now }) {
      store.log.push(`${state}${error === null ? '' : ` ${error.code}`}`);
      return save({ ...run, state, error, finishedAt: now.toISOString() });
    },
    async markTokenState({ tokenState }) {
      store.tokenState = tokenState;
    },
  };
  return store;
}

export function deviceNamed(serial: string): AppleDevice {
  return {
    serial,
    os: 'ipados',
    family: 'iPad',
    model: null,
    description: null,
    color: null,
    assetTag: null,
    assignedAt: null,
    assignedBy: null,
    profileStatus: null,
    profileUuid: null,
    profileAssignedAt: null,
    profilePushedAt: null,
    attributes: {},
    operation: null,
  };
}
