import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createWalkDevicePages } from '../../activities/walk-device-pages.ts';
import type { WalkInput, WalkResult } from '../../activities/walk-input.ts';
import { createAdeClient } from '../../apple/ade/client.ts';
import { createTokenProbe } from '../../apple/ade/probe.ts';
import { createTokenKey } from '../../apple/token/keypair.ts';
import { openServerToken } from '../../apple/token/open-server-token.ts';
import { createSealer } from '../../db/sealing.ts';
import { createAdeSessionStore } from '../../db/stores/ade-sessions.ts';
import { createDeviceStore } from '../../db/stores/devices.ts';
import { createIntegrationStore } from '../../db/stores/integrations.ts';
import { createSyncRunStore } from '../../db/stores/sync-runs.ts';
import { createSyncStore } from '../../db/stores/sync.ts';
import type { Actor } from '../../domain/audit.ts';
import type { TokenKey } from '../../domain/integration.ts';
import type { SyncStore } from '../../domain/sync.ts';
import { createSimulator, type Simulator } from '../../simulator/app.ts';
import { createApple } from '../stack/apple-client.ts';
import { createTestDatabase, type TestDatabase } from '../database.ts';

const actor: Actor = { kind: 'system', id: null, name: 'test', requestId: null };
const userAgent = 'guardmdm-abm-test/1';

let database: TestDatabase;
let simulator: Simulator;
let apple: ReturnType<typeof createApple>;
let key: TokenKey;
// Killed activities are what this test is made of.
const logger = new DefaultLogger('ERROR');

beforeAll(async () => {
  key = await createTokenKey({ name: 'Fleet', now: new Date() });
  database = await createTestDatabase();
  simulator = createSimulator({ devices: 0 });
  apple = createApple((await simulator.listen()).url);
});
afterAll(async () => {
  await simulator.close();
  await database.drop();
});

type Step =
  | { do: 'churn'; changes: number }
  | { do: 'fault'; name: string; skip: number }
  | { do: 'days_pass' }
  | { do: 'ask_full' }
  | { do: 'walk' }
  | { do: 'walk_twice_at_once' }
  | { do: 'crash'; page: number; when: 'before' | 'after' };

const faults = [
  ...['http_500', 'connection_reset', 'half_json', 'session_expired', 'session_rotates'],
  ...['invalid_cursor', 'expired_cursor', 'duplicate_device_in_page', 'empty_page', 'churn'],
  ...['same_cursor', 'modified_on_move', 'odd_values'],
];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('churn' as const),
      changes: fc.integer({ min: 1, max: 25 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      name: fc.constantFrom(...faults),
      skip: fc.nat(4),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'days_pass' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'ask_full' as const }) },
  { weight: 3, arbitrary: fc.constant({ do: 'walk' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'walk_twice_at_once' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      page: fc.integer({ min: 1, max: 6 }),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
);

test('whatever Apple does and whoever crashes, Postgres ends with exactly what Apple lists', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const walk = await connectFleet();
      for (const one of steps) await perform(walk, one);
      await apple.clearFaults();
      await walk.toEnd();
      expect(await walk.ours()).toEqual(await walk.theirs());
    }),
    { numRuns: 60 },
  );
}, 300_000);

type Fleet = Awaited<ReturnType<typeof connectFleet>>;

async function perform(fleet: Fleet, step: Step): Promise<void> {
  switch (step.do) {
    case 'churn':
      return apple.churn(fleet.server, step.changes);
    case 'fault':
      await apple.fault({ name: step.name, skip: step.skip, count: 1, server: fleet.server });
      return;
    case 'days_pass':
      return apple.control('POST', '/clock', { advanceSeconds: 8 * 86_400 });
    case 'ask_full':
      return fleet.askFull();
    case 'walk':
      return fleet.toEnd(8);
    case 'walk_twice_at_once':
      await Promise.allSettled([fleet.toEnd(4), fleet.toEnd(4)]);
      return;
    case 'crash':
      return fleet.crash(step);
  }
}

/** A new integration with a fleet of its own, and the loop's part of the work, played by hand. */
async function connectFleet() {
  const now = () => new Date();
  const sealer = createSealer(Buffer.alloc(32, 7).toString('base64'));
  const integrations = createIntegrationStore({ ...database, sealer, now });
  const syncRuns = createSyncRunStore(database);
  const sync = createSyncStore(database);
  const devices = createDeviceStore(database);
  const sessions = createAdeSessionStore({ ...database, sealer });

  const { id: integrationId } = await integrations.create(
    { name: 'Fleet', notifyEmails: [], pageSize: 10, key },
    actor,
  );
  const server = await apple.createServer({
    name: integrationId.slice(0, 8),
    certificate: key.certificatePem,
    assignAll: false,
  });
  await apple.portal('POST', '/devices/buy', { count: 45 });
  await apple.portal('POST', `/servers/${server}/devices`, { all: true });
  const opened = openServerToken(
    await apple.downloadToken(server),
    await integrations.listKeys(integrationId),
  );
  const probed = await createTokenProbe({ baseUrl: apple.url, userAgent, now })(opened.token);
  const account = 'account' in probed ? probed.account : null;
  await integrations.activateToken(
    {
      integrationId,
      certificatePem: key.certificatePem,
      replaces: null,
      token: opened.token,
      account,
      now: now(),
    },
    actor,
  );

  const ade = createAdeClient({
    integrationId,
    baseUrl: apple.url,
    userAgent,
    credentials: async () => opened.token,
    sessions,
    now,
  });
  const activity = (store: SyncStore) =>
    createWalkDevicePages({
      sync: store,
      ade: () => ade,
      now,
      random: () => 0,
      logger: pino({ level: 'silent' }),
    });

  let carry = { position: null, restarted: false, failures: 0, block: null } as Pick<
    WalkInput,
    'position' | 'restarted' | 'failures' | 'block'
  >;
  async function slice(store: SyncStore): Promise<WalkResult> {
    const input: WalkInput = { integrationId, runId: randomUUID(), trigger: 'schedule', ...carry };
    const result = await new MockActivityEnvironment({}, { logger }).run<
      [WalkInput],
      WalkResult,
      (input: WalkInput) => Promise<WalkResult>
    >(activity(store), input);
    const { restarted = false, failures = 0 } = result as Partial<typeof carry>;
    const position = 'position' in result ? result.position : carry.position;
    carry = { position, restarted, failures, block: null };
    return result;
  }

  return {
    server,
    async toEnd(most = 100): Promise<void> {
      for (let slices = 0; slices < most; slices += 1) {
        try {
          const { outcome } = await slice(sync);
          if (outcome === 'finished' || outcome === 'blocked') return;
        } catch (error) {
          // The loser of two attempts; Temporal would try again.
          if (!(error instanceof Error) || error.name !== 'StaleWalkError') throw error;
        }
      }
    },
    async askFull(): Promise<void> {
      await syncRuns.request({ integrationId, mode: 'full', now: now(), actor });
    },
    async crash({ page, when }: { page: number; when: 'before' | 'after' }): Promise<void> {
      let written = 0;
      const dying: SyncStore = {
        ...sync,
        applyPage: async (input) => {
          written += 1;
          if (written < page) return sync.applyPage(input);
          if (when === 'after') await sync.applyPage(input);
          throw new Error('killed');
        },
      };
      await slice(dying).catch((error: unknown) => {
        if (!(error instanceof Error) || error.message !== 'killed') throw error;
      });
    },
    async ours() {
      const { items } = await devices.list(
        { integrationId, presence: 'present' },
        { limit: 1000, cursor: null },
      );
      return items.map((device) => [device.serial, device.assetTag ?? '', device.assignedAt]);
    },
    async theirs() {
      const truth = await apple.truth(server);
      return truth
        .map((device) => [
          device.serial_number,
          device.asset_tag ?? '',
          new Date(device.device_assigned_date ?? '').toISOString(),
        ])
        .sort(([a = ''], [b = '']) => (a < b ? -1 : 1));
    },
  };
}
