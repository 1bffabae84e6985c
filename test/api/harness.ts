import { pino } from 'pino';
import { hashApiKey } from '../../api/api-key-secret.ts';
import { createApp } from '../../api/app.ts';
import type { ApiDeps, SyncControl } from '../../api/deps.ts';
import type { Role } from '../../domain/api-key.ts';
import {
  fakeApiKeys,
  fakeAudit,
  fakeDevices,
  fakeIdempotency,
  fakeIntegrations,
  fakeSyncRuns,
} from './fake-stores.ts';

export const secrets: Record<Role, string> = {
  viewer: 'gmk_viewer_viewer_viewer_viewer',
  operator: 'gmk_operator_operator_operator',
  admin: 'gmk_admin_admin_admin_admin_admin',
};

type Init = Omit<RequestInit, 'body'> & {
  json?: unknown;
  body?: NonNullable<RequestInit['body']>;
  key?: string | null;
};

/** The app over Map stores, with one key of each role, and a log that can be read. */
export async function startApp(patch: Partial<ApiDeps> = {}) {
  const now = () => new Date('2026-06-01T12:00:00.000Z');
  const log: string[] = [];
  const told: string[] = [];
  const note = (what: string) => async (integrationId: string) => {
    told.push(`${what} ${integrationId}`);
  };
  const sync: SyncControl = {
    ensure: note('ensure'),
    wake: note('wake'),
    stop: note('stop'),
    async syncNow(integrationId, runId, waitSeconds) {
      told.push(`syncNow ${integrationId} ${runId} ${waitSeconds}`);
      return undefined;
    },
    ping: async () => undefined,
  };
  const fakes = {
    integrations: fakeIntegrations(now),
    syncRuns: fakeSyncRuns(),
    devices: fakeDevices(),
    audit: fakeAudit(),
    apiKeys: fakeApiKeys(now),
    idempotency: fakeIdempotency(),
  };
  for (const role of ['viewer', 'operator', 'admin'] as const)
    await fakes.apiKeys.ensure({ name: role, role, secretHash: hashApiKey(secrets[role]) });

  const deps: ApiDeps = {
    ...fakes,
    appleCalls: { totals: async () => [] },
    sync,
    activateToken: async ({ integrationId }) => fakes.integrations.get(integrationId),
    newTokenKey: async () => ({ certificatePem: 'PEM', privateKeyPem: 'PRIVATE' }),
    pingDatabase: async () => undefined,
    logger: pino({ level: 'trace' }, { write: (text: string) => void log.push(text) }),
    now,
    stopping: new AbortController().signal,
    ...patch,
  };
  const app = createApp(deps);

  /** Asks as the admin unless told who; paths without `/` are under `/api/v1`. */
  async function ask(method: string, path: string, { json, key, ...init }: Init = {}) {
    const headers = new Headers(init.headers);
    if (key !== null) headers.set('authorization', `Bearer ${key ?? secrets.admin}`);
    if (json !== undefined) headers.set('content-type', 'application/json');
    const response = await app.request(path.startsWith('/') ? path : `/api/v1/${path}`, {
      ...init,
      method,
      headers,
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.clone().text();
    const isJson = (response.headers.get('content-type') ?? '').includes('json');
    return {
      response,
      status: response.status,
      headers: response.headers,
      text,
      body: (isJson && text !== '' ? JSON.parse(text) : {}) as Record<string, unknown>,
    };
  }

  return { app, deps, ask, log, told, now, ...fakes };
}
