import type { Logger } from 'pino';
import type { ApiKey, ApiKeyStore } from '../domain/api-key.ts';
import type { AppleCallStore } from '../domain/apple-calls.ts';
import type { Actor, AuditStore } from '../domain/audit.ts';
import type { DeviceStore } from '../domain/device.ts';
import type { IdempotencyStore } from '../domain/idempotency.ts';
import type { Integration, IntegrationStore, TokenKey } from '../domain/integration.ts';
import type { SyncRun, SyncRunStore } from '../domain/sync.ts';

/**
 * The sync loops as the API sees them. Every method answers within seconds (and `waitSeconds`) and
 * throws `temporal_unavailable` when the engine is out of reach.
 */
export interface SyncControl {
  /** Starts the loop unless it runs. */
  ensure(integrationId: string): Promise<void>;
  /**
   * Has the loop take up a run that is written already. The finished run, or undefined when it has
   * not finished in time or nobody can say. Throws the code of a `SyncBlock`.
   */
  syncNow(integrationId: string, runId: string, waitSeconds: number): Promise<SyncRun | undefined>;
  /**
   * The facts have changed: the loop looks again now, or when Apple's `Retry-After` or the spacing
   * after a failure is over; a new token counts at once. Starts it unless it runs.
   */
  wake(integrationId: string, reason?: 'token' | 'facts'): Promise<void>;
  /** Ends the loop for good; a loop that is not there is fine. */
  stop(integrationId: string): Promise<void>;
  ping(): Promise<void>;
}

export interface ApiDeps {
  integrations: IntegrationStore;
  syncRuns: SyncRunStore;
  devices: DeviceStore;
  audit: AuditStore;
  apiKeys: ApiKeyStore;
  idempotency: IdempotencyStore;
  appleCalls: Pick<AppleCallStore, 'totals'>;
  sync: SyncControl;
  /** Proves an uploaded server token against Apple and swaps it in. Throws the codes of a token. */
  activateToken: (
    input: { integrationId: string; file: Uint8Array },
    actor: Actor,
  ) => Promise<Integration>;
  newTokenKey: (input: { name: string }) => Promise<TokenKey>;
  pingDatabase: () => Promise<void>;
  logger: Logger;
  now: () => Date;
  /** Aborts when the process shuts down: whoever waits answers with what there is. */
  stopping: AbortSignal;
}

/** What a request knows of itself. */
export interface ApiEnv {
  Variables: { requestId: string; apiKey: ApiKey; logger: Logger };
  Bindings: { incoming?: { socket?: { remoteAddress?: string } } };
}
