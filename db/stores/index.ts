import type { AdeSessionStore } from '../../domain/ade.ts';
import type { ApiKeyStore } from '../../domain/api-key.ts';
import type { AppleCallStore } from '../../domain/apple-calls.ts';
import type { AuditStore } from '../../domain/audit.ts';
import type { DeviceStore } from '../../domain/device.ts';
import type { IdempotencyStore } from '../../domain/idempotency.ts';
import type { IntegrationStore } from '../../domain/integration.ts';
import type { SyncRunStore, SyncStore } from '../../domain/sync.ts';
import type { Database } from '../client.ts';
import type { Sealer } from '../sealing.ts';
import { createAdeSessionStore } from './ade-sessions.ts';
import { createApiKeyStore } from './api-keys.ts';
import { createAppleCallStore } from './apple-calls.ts';
import { createAuditStore } from './audit.ts';
import { createDeviceStore } from './devices.ts';
import { createIdempotencyStore } from './idempotency.ts';
import { createIntegrationStore } from './integrations.ts';
import { createSyncRunStore } from './sync-runs.ts';
import { createSyncStore } from './sync.ts';

export interface Stores {
  integrations: IntegrationStore;
  sync: SyncStore;
  syncRuns: SyncRunStore;
  devices: DeviceStore;
  audit: AuditStore;
  apiKeys: ApiKeyStore;
  adeSessions: AdeSessionStore;
  idempotency: IdempotencyStore;
  appleCalls: AppleCallStore;
}

/** All stores over one database. */
export function createStores(
  database: Pick<Database, 'orm' | 'sql'>,
  deps: { sealer: Sealer; now: () => Date },
): Stores {
  return {
    integrations: createIntegrationStore({ ...database, ...deps }),
    sync: createSyncStore(database),
    syncRuns: createSyncRunStore(database),
    devices: createDeviceStore(database),
    audit: createAuditStore(database),
    apiKeys: createApiKeyStore({ ...database, now: deps.now }),
    adeSessions: createAdeSessionStore({ ...database, sealer: deps.sealer }),
    idempotency: createIdempotencyStore(database),
    appleCalls: createAppleCallStore(database),
  };
}
