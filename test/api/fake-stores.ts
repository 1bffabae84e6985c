import { randomUUID } from 'node:crypto';
import type { ApiKey, ApiKeyStore } from '../../domain/api-key.ts';
import type { AuditEvent, AuditStore } from '../../domain/audit.ts';
import type { Device, DeviceStore, TimelineEntry } from '../../domain/device.ts';
import { DomainError } from '../../domain/errors.ts';
import type { IdempotencyStore } from '../../domain/idempotency.ts';
import type { Integration, IntegrationStore, TokenKey } from '../../domain/integration.ts';
import type { Page, PageQuery } from '../../domain/page.ts';
import type { SyncRun, SyncRunStore } from '../../domain/sync.ts';

/** Stores that are Maps: what the API may count on, without Postgres. */

function pageOf<T>(items: T[], { limit, cursor }: PageQuery): Page<T> {
  const from = cursor === null ? 0 : Number(cursor);
  if (!Number.isInteger(from))
    throw new DomainError('invalid_request', 'cursor: is not one of ours', {
      fields: [{ path: 'query.cursor', message: 'is not one of ours' }],
    });
  const slice = items.slice(from, from + limit);
  return { items: slice, nextCursor: from + limit < items.length ? String(from + limit) : null };
}

const missing = (what: string) => new DomainError('not_found', `There is no such ${what}.`);

export function fakeIntegrations(now: () => Date): IntegrationStore & {
  rows: Map<string, Integration>;
  keys: Map<string, (TokenKey & { role: 'staged' | 'current' })[]>;
} {
  const rows = new Map<string, Integration>();
  const keys = new Map<string, (TokenKey & { role: 'staged' | 'current' })[]>();
  const get = (id: string) => {
    const row = rows.get(id);
    if (row === undefined) throw missing('integration');
    return row;
  };
  const save = (id: string, patch: Partial<Integration>) => {
    const row = { ...get(id), ...patch, updatedAt: now().toISOString() };
    rows.set(id, row);
    return row;
  };
  return {
    rows,
    keys,
    async create({ name, notifyEmails, pageSize, key }) {
      const id = randomUUID();
      const at = now().toISOString();
      rows.set(id, anIntegration({ id, name, notifyEmails, pageSize, createdAt: at }));
      keys.set(id, [{ ...key, role: 'current' }]);
      return get(id);
    },
    find: async (id) => rows.get(id),
    get: async (id) => get(id),
    list: async (query) => pageOf([...rows.values()], query),
    listIds: async () => [...rows.keys()],
    update: async (id, patch) => save(id, patch),
    markPaused: async (id, paused) =>
      save(id, { pausedAt: paused ? (get(id).pausedAt ?? now().toISOString()) : null }),
    async delete(id) {
      get(id);
      rows.delete(id);
    },
    counts: async () => ({
      devices: 3,
      assigned: 1,
      unassigned: 2,
      pending: 0,
      failed: 0,
      enrolled: 1,
      removed: 4,
    }),
    overview: async () => ({
      mode: 'delta',
      state: 'idle',
      cursorAt: new Date(now().getTime() - 90_000).toISOString(),
      lastCheckedAt: new Date(now().getTime() - 60_000).toISOString(),
      lastFullAt: null,
      lastRun: null,
      nextRunAt: null,
    }),
    listKeys: async (id) => keys.get(id) ?? [],
    async saveStagedKey(id, key) {
      const current = (keys.get(id) ?? []).filter(({ role }) => role === 'current');
      keys.set(id, [{ ...key, role: 'staged' }, ...current]);
    },
    findToken: async () => null,
    activateToken: async ({ integrationId }) => get(integrationId),
  };
}

export function anIntegration(patch: Partial<Integration> = {}): Integration {
  return {
    id: randomUUID(),
    name: 'Head office',
    notifyEmails: [],
    pageSize: 100,
    tokenState: 'none',
    tokenStateDetail: null,
    token: null,
    pausedAt: null,
    organization: null,
    serverName: null,
    serverUuid: null,
    adminId: null,
    orgIdHash: null,
    fetchLimit: null,
    syncLimit: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...patch,
  };
}

export function aRun(patch: Partial<SyncRun> = {}): SyncRun {
  return {
    id: randomUUID(),
    integrationId: randomUUID(),
    trigger: 'manual',
    mode: 'delta',
    state: 'queued',
    pages: 0,
    added: 0,
    modified: 0,
    removed: 0,
    unchanged: 0,
    queuedAt: '2026-01-01T00:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    error: null,
    waitingFor: null,
    nextAttemptAt: null,
    report: null,
    ...patch,
  };
}

export function fakeSyncRuns(): SyncRunStore & { rows: Map<string, SyncRun> } {
  const rows = new Map<string, SyncRun>();
  const isOpen = ({ state }: SyncRun) => ['queued', 'running', 'waiting'].includes(state);
  return {
    rows,
    async request({ integrationId, mode }) {
      const open = [...rows.values()].find(
        (run) => run.integrationId === integrationId && isOpen(run),
      );
      if (open !== undefined) return { run: open, joined: true };
      const run = aRun({ integrationId, mode });
      rows.set(run.id, run);
      return { run, joined: false };
    },
    find: async (id) => rows.get(id),
    async cancelQueued(id) {
      const run = rows.get(id);
      if (run?.state !== 'queued') return false;
      rows.set(id, { ...run, state: 'cancelled' });
      return true;
    },
    list: async (id, query) =>
      pageOf(
        [...rows.values()].filter((run) => run.integrationId === id),
        query,
      ),
  };
}

export function aDevice(patch: Partial<Device> = {}): Device {
  return {
    serial: 'C39XQ0AAJ1WL',
    integrationId: randomUUID(),
    os: 'ipados',
    family: 'iPad',
    model: 'iPad Pro',
    description: 'IPAD PRO 11 WI-FI',
    color: 'SPACE GRAY',
    assetTag: null,
    assignedAt: null,
    assignedBy: null,
    presence: 'present',
    removedAt: null,
    profile: null,
    assignment: {
      state: 'unassigned',
      appleProfileUuid: null,
      appleStatus: 'empty',
      error: null,
      nextAttemptAt: null,
      attempts: 0,
    },
    enrollment: { state: 'not_enrolled', enrolledAt: null },
    groups: [],
    attributes: {},
    firstSeenAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    ...patch,
  };
}

export function fakeDevices(): DeviceStore & {
  rows: Map<string, Device>;
  history: Map<string, TimelineEntry[]>;
} {
  const rows = new Map<string, Device>();
  const history = new Map<string, TimelineEntry[]>();
  const matching: (filter: Parameters<DeviceStore['list']>[0]) => Device[] = (filter) =>
    [...rows.values()]
      .filter(
        (device) =>
          (filter.integrationId === undefined || device.integrationId === filter.integrationId) &&
          (filter.os === undefined || device.os === filter.os) &&
          (filter.family === undefined || device.family === filter.family) &&
          (filter.presence === undefined || device.presence === filter.presence) &&
          (filter.assignment === undefined || device.assignment.state === filter.assignment) &&
          (filter.enrollment === undefined || device.enrollment.state === filter.enrollment) &&
          (filter.profileId === undefined || device.profile?.id === filter.profileId) &&
          (filter.groupId === undefined || device.groups.some(({ id }) => id === filter.groupId)) &&
          (filter.q === undefined || device.serial.startsWith(filter.q.toUpperCase())),
      )
      .sort((a, b) => (a.serial < b.serial ? -1 : 1));
  return {
    rows,
    history,
    list: async (filter, query) => pageOf(matching(filter), query),
    async *stream(filter) {
      const all = matching(filter);
      for (let at = 0; at < all.length; at += 2) yield all.slice(at, at + 2);
    },
    find: async (serial) => rows.get(serial),
    timeline: async (serial, query) => pageOf(history.get(serial) ?? [], query),
  };
}

export function fakeApiKeys(now: () => Date): ApiKeyStore & {
  rows: Map<string, ApiKey & { hash: string }>;
  uses: string[];
} {
  const rows = new Map<string, ApiKey & { hash: string }>();
  const uses: string[] = [];
  const hex = (hash: Uint8Array) => Buffer.from(hash).toString('hex');
  const shown = ({ id, name, role, expiresAt, createdAt, lastUsedAt }: ApiKey): ApiKey => ({
    id,
    name,
    role,
    expiresAt,
    createdAt,
    lastUsedAt,
  });
  const create: ApiKeyStore['create'] = async ({ name, role, expiresAt, secretHash }) => {
    const key = {
      id: randomUUID(),
      name,
      role,
      expiresAt,
      createdAt: now().toISOString(),
      lastUsedAt: null,
    };
    rows.set(key.id, { ...key, hash: hex(secretHash) });
    return key;
  };
  return {
    rows,
    uses,
    create,
    async findByHash(hash, at) {
      const row = [...rows.values()].find((key) => key.hash === hex(hash));
      if (row === undefined) return undefined;
      if (row.expiresAt !== null && Date.parse(row.expiresAt) <= at.getTime()) return undefined;
      return { key: shown(row), secretHash: new Uint8Array(Buffer.from(row.hash, 'hex')) };
    },
    list: async (query) => pageOf([...rows.values()].map(shown), query),
    async revoke(id) {
      if (!rows.delete(id)) throw missing('API key');
    },
    ensure: async ({ name, role, secretHash }) =>
      [...rows.values()].find((key) => key.hash === hex(secretHash)) ??
      create(
        { name, role, expiresAt: null, secretHash },
        { kind: 'system', id: null, name: 'test', requestId: null },
      ),
    async markUsed(id) {
      uses.push(id);
    },
  };
}

export function fakeAudit(): AuditStore & { rows: AuditEvent[] } {
  const rows: AuditEvent[] = [];
  return { rows, list: async (query) => pageOf(rows, query) };
}

export function fakeIdempotency(): IdempotencyStore & {
  rows: Map<string, { answer?: Uint8Array }>;
} {
  const rows = new Map<string, { fingerprint: string; answer?: Uint8Array }>();
  const at = (input: { apiKeyId: string; key: string }) => `${input.apiKeyId} ${input.key}`;
  return {
    rows,
    async claim(input) {
      const fingerprint = Buffer.from(input.fingerprint).toString('hex');
      const held = rows.get(at(input));
      if (held === undefined) {
        rows.set(at(input), { fingerprint });
        return { outcome: 'new' };
      }
      if (held.fingerprint !== fingerprint) return { outcome: 'reused' };
      if (held.answer === undefined) return { outcome: 'in_progress' };
      return { outcome: 'replay', answer: held.answer };
    },
    async finish(input) {
      const held = rows.get(at(input));
      if (held !== undefined) rows.set(at(input), { ...held, answer: input.answer });
    },
    async release(input) {
      rows.delete(at(input));
    },
  };
}
