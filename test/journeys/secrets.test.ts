import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDatabase } from '../../db/client.ts';
import { createSealer } from '../../db/sealing.ts';
import { createStores } from '../../db/stores/index.ts';
import { syncWorkflowId } from '../../workflows/contract.ts';
import { connect, uploadToken, type Connected } from '../stack/connect.ts';
import { startStack, type Stack } from '../stack/stack.ts';

describe('secrets stay where they belong', () => {
  let stack: Stack;
  let fleet: Connected;
  /** By what they are. */
  const secrets: Record<string, string> = {};

  // A journey with trouble in it: errors are where secrets slip out.
  beforeAll(async () => {
    stack = await startStack({ devices: 300, logLevel: 'trace' });
    fleet = await connect(stack);
    const { api, apple } = stack;
    const { integrationId: id, server } = fleet;
    await api.sync(id);
    await collectSecrets('first');
    await apple.fault({ name: 'session_expired', count: 1 });
    await apple.fault({ name: 'http_500', count: 1, skip: 1 });
    await apple.fault({ name: 'connection_reset', count: 1, skip: 2 });
    await api.sync(id, 'full');
    const made = await api.post<{ secret: string }>('/api/v1/api-keys', {
      name: 'Help desk',
      role: 'viewer',
    });
    secrets['api key'] = made.secret;

    const next = await apple.downloadToken(server);
    await apple.control('POST', '/sessions/end', { server });
    await api.call('POST', `/api/v1/integrations/${id}/sync?wait=20`, {});
    await uploadToken(api, id, next.slice(0, 900));
    await uploadToken(api, id, next);
    await api.sync(id);
    await collectSecrets('second');
    secrets['admin key'] = api.key;
    secrets['encryption key'] = stack.encryptionKey;
    secrets['database password'] = new URL(stack.databaseUrl).password;
  });
  afterAll(() => stack.stop());

  async function collectSecrets(when: string): Promise<void> {
    const database = createDatabase(stack.databaseUrl, { max: 2 });
    const sealer = createSealer(stack.encryptionKey);
    const stores = createStores(database, { sealer, now: () => new Date() });
    const token = await stores.integrations.findToken(fleet.integrationId);
    const session = await stores.adeSessions.find(fleet.integrationId);
    const [key] = await stores.integrations.listKeys(fleet.integrationId);
    await database.close();
    if (token === null || session === undefined || key === undefined) throw new Error('incomplete');
    for (const name of ['consumerKey', 'consumerSecret', 'accessToken', 'accessSecret'] as const)
      secrets[`${when} ${name}`] = token[name];
    secrets[`${when} session`] = session.token;
    secrets[`${when} private key`] = key.privateKeyPem.split('\n')[3] ?? '';
  }

  const leaks = (text: string) =>
    Object.entries(secrets).flatMap(([name, secret]) => {
      expect(secret.length, name).toBeGreaterThan(15);
      return text.includes(secret) ? [name] : [];
    });

  test('no workflow history holds one, in any payload or failure', async () => {
    const connection = await Connection.connect({ address: stack.temporalAddress });
    const { workflow } = new Client({ connection });
    let events = 0;
    let text = '';
    for await (const { workflowId, runId } of workflow.list()) {
      const history = await workflow.getHandle(workflowId, runId).fetchHistory();
      events += history.events?.length ?? 0;
      text += everyString(history).join('\n');
    }
    await connection.close();
    expect(events).toBeGreaterThan(30);
    expect(text).toContain(fleet.integrationId);
    expect(text).toContain(syncWorkflowId(fleet.integrationId).slice(5));
    expect(leaks(text)).toEqual([]);
  });

  test('no line that our processes print holds one, at the most talkative level', () => {
    const ours = stack.logs.filter((line) => !line.startsWith('simulator'));
    expect(ours.some((line) => line.includes('"path":"/api/v1/api-keys"'))).toBe(true);
    expect(leaks(ours.join('\n'))).toEqual([]);
  });

  test('no column of the database holds one in clear', async () => {
    const database = createDatabase(stack.databaseUrl, { max: 2 });
    const tables = await database.sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public'`;
    let text = '';
    for (const { name } of tables) {
      const rows = await database.sql<{ row: string }[]>`
        select t::text as row from ${database.sql(name)} t limit 5000`;
      text += rows.map(({ row }) => `${row}\n${unhex(row)}`).join('\n');
    }
    await database.close();
    expect(tables.length).toBeGreaterThan(8);
    expect(text).toContain(fleet.integrationId);
    expect(leaks(text)).toEqual([]);
  });

  test('nothing that the API answers holds one', async () => {
    const { api } = stack;
    const paths = [
      ...['/api/v1/integrations', `/api/v1/integrations/${fleet.integrationId}`, '/metrics'],
      ...['/api/v1/events?limit=1000', '/api/v1/api-keys', '/api/v1/openapi.json'],
      `/api/v1/integrations/${fleet.integrationId}/sync-runs`,
      `/api/v1/integrations/${fleet.integrationId}/public-key`,
    ];
    const answers = await Promise.all(paths.map((path) => api.get(path)));
    expect(leaks(JSON.stringify(answers))).toEqual([]);
  });
});

/** Strings and bytes of a value, at any depth; payloads are bytes. */
function everyString(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(everyString);
}

/** `bytea` shows as hex. */
function unhex(row: string): string {
  return [...row.matchAll(/\\x([0-9a-f]+)/g)]
    .map(([, hex = '']) => Buffer.from(hex, 'hex').toString('latin1'))
    .join('\n');
}
