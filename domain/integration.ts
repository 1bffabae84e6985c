import type { Actor } from './audit.ts';
import { unreachable } from './errors.ts';
import type { Page, PageQuery } from './page.ts';
import type { RunState, SyncBlock, SyncMode, SyncRun } from './sync.ts';
import type { AdeAccount, Organization, ServerToken } from './token.ts';

/**
 * What Apple last told us about the token, kept as a fact. What an admin sees as `status` is worked
 * out from it, the clock and the pause switch by `integrationStatus`.
 */
export type TokenState = 'none' | 'valid' | 'terms_not_signed' | 'rejected';

export const integrationStatuses = [
  'awaiting_token',
  'active',
  'expiring',
  'expired',
  'terms_not_signed',
  'token_rejected',
  'paused',
] as const;
export type IntegrationStatus = (typeof integrationStatuses)[number];

export interface Integration {
  id: string;
  name: string;
  notifyEmails: string[];
  /** Devices a page when asking Apple, 1–1000. */
  pageSize: number;
  tokenState: TokenState;
  /** Apple's own words for a state that is not `valid`, for people. */
  tokenStateDetail: string | null;
  token: { expiresAt: string; uploadedAt: string } | null;
  pausedAt: string | null;
  organization: Organization | null;
  serverName: string | null;
  serverUuid: string | null;
  adminId: string | null;
  orgIdHash: string | null;
  fetchLimit: number | null;
  syncLimit: number | null;
  createdAt: string;
  updatedAt: string;
}

/** Devices of one integration by state. `removed` ones are in no other count. */
export interface DeviceCounts {
  devices: number;
  assigned: number;
  unassigned: number;
  pending: number;
  failed: number;
  enrolled: number;
  removed: number;
}

/** A key pair whose certificate ABM encrypts a server token for. The private key is a secret. */
export interface TokenKey {
  certificatePem: string;
  privateKeyPem: string;
}

/** What the sync of an integration last did, from Postgres alone. */
export interface SyncOverview {
  mode: SyncMode | null;
  state: RunState | 'idle';
  /** When Apple gave us the cursor that we hold. */
  cursorAt: string | null;
  /** When Apple last answered a walk to its end, also when nothing had changed. */
  lastCheckedAt: string | null;
  lastFullAt: string | null;
  lastRun: SyncRun | null;
  nextRunAt: string | null;
}

export interface IntegrationStore {
  create(
    input: { name: string; notifyEmails: string[]; pageSize: number; key: TokenKey },
    actor: Actor,
  ): Promise<Integration>;
  find(id: string): Promise<Integration | undefined>;
  /** Throws `not_found`. */
  get(id: string): Promise<Integration>;
  list(query: PageQuery): Promise<Page<Integration>>;
  /** For the watchdog: ids of all integrations that should have a sync loop. */
  listIds(): Promise<string[]>;
  update(
    id: string,
    patch: { name?: string; notifyEmails?: string[]; pageSize?: number },
    actor: Actor,
  ): Promise<Integration>;
  /** Pausing twice changes nothing. */
  markPaused(id: string, paused: boolean, actor: Actor): Promise<Integration>;
  /** Devices, runs, keys and tokens go with it. Throws `not_found`. */
  delete(id: string, actor: Actor): Promise<void>;

  counts(id: string): Promise<DeviceCounts>;
  overview(id: string): Promise<SyncOverview>;

  /** The pair in use and the staged one, staged first: the order in which a token is tried. */
  listKeys(id: string): Promise<(TokenKey & { role: 'staged' | 'current' })[]>;
  /** Replaces a staged pair; the current one is not touched. */
  saveStagedKey(id: string, key: TokenKey, actor: Actor): Promise<void>;

  /** Null before the first upload. */
  findToken(id: string): Promise<ServerToken | null>;
  /**
   * In one transaction: token, key (a staged one becomes current), account facts and token state are
   * swapped, the Apple session dropped, the cursor dropped too unless the server is the same. Throws
   * `different_server`, `different_organization`, `server_already_connected`, `conflict` (the pair is
   * gone, or another token was taken into use meanwhile) and changes nothing.
   */
  activateToken(
    input: {
      integrationId: string;
      /** Of the pair that the token was made for, whatever its role is by now. */
      certificatePem: string;
      /** What was in use when the check of this token began. */
      replaces: Integration['token'];
      token: ServerToken;
      /** Null: Apple accepts the token but the terms are not signed, so there is no account yet. */
      account: AdeAccount | null;
      now: Date;
    },
    actor: Actor,
  ): Promise<Integration>;
}

const day = 24 * 3600 * 1000;

/** What an admin sees. A pause hides nothing that a person must act on, so it comes last. */
export function integrationStatus(
  integration: Pick<Integration, 'token' | 'tokenState' | 'pausedAt'>,
  now: Date,
): IntegrationStatus {
  if (integration.token === null || integration.tokenState === 'none') return 'awaiting_token';
  const left = Date.parse(integration.token.expiresAt) - now.getTime();
  if (left <= 0) return 'expired';
  if (integration.tokenState === 'rejected') return 'token_rejected';
  if (integration.tokenState === 'terms_not_signed') return 'terms_not_signed';
  if (integration.pausedAt !== null) return 'paused';
  return left <= 30 * day ? 'expiring' : 'active';
}

/** Why a sync may not run now; null: it may. */
export function syncBlock(
  integration: Pick<Integration, 'token' | 'tokenState' | 'pausedAt'>,
  now: Date,
): SyncBlock | null {
  const status = integrationStatus(integration, now);
  switch (status) {
    case 'awaiting_token':
    case 'token_rejected':
    case 'terms_not_signed':
    case 'paused':
      return status;
    case 'expired':
      return 'token_expired';
    case 'active':
    case 'expiring':
      return null;
    default:
      return unreachable(status);
  }
}
