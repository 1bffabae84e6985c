import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device, TimelineEntry } from '../../domain/device.ts';
import type { SyncRun } from '../../domain/sync.ts';
import { connect, uploadToken, type Connected } from '../stack/connect.ts';
import { expectTruth } from '../stack/expect-truth.ts';
import { startStack, type Stack } from '../stack/stack.ts';

interface Integration {
  status: string;
  statusReason: string | null;
  serverUuid: string;
  organization: { name: string };
  token: { expiresAt: string; daysLeft: number };
  counts: { devices: number; removed: number };
  sync: { lastRun: SyncRun | null };
}

describe('connecting to Apple Business Manager', () => {
  let stack: Stack;
  let fleet: Connected;

  beforeAll(async () => {
    stack = await startStack({ devices: 1200 });
    fleet = await connect(stack, { pageSize: 100 });
  });
  afterAll(() => stack.stop());

  const integration = () =>
    stack.api.get<Integration>(`/api/v1/integrations/${fleet.integrationId}`);
  const runs = () =>
    stack.api.all<SyncRun>(`/api/v1/integrations/${fleet.integrationId}/sync-runs`);

  test('the token exchange starts the first full walk by itself', async () => {
    // Sync Now joins the run that the new token has started, or asks for another: both end in the truth.
    const run = await stack.api.sync(fleet.integrationId);
    expect(run.state).toBe('succeeded');
    await expectTruth(stack, fleet);

    const first = (await runs()).at(-1);
    expect(first).toMatchObject({ mode: 'full', state: 'succeeded', added: 1200, removed: 0 });
    const shown = await integration();
    expect(shown).toMatchObject({ status: 'active', serverUuid: fleet.server });
    expect(shown.counts.devices).toBe(1200);
    expect(shown.token.daysLeft).toBeGreaterThan(360);
    expect(shown.organization.name).not.toBe('');
  });

  test('what changes in the portal is there after Sync Now, and only what changed is written', async () => {
    const [gone, ...rest] = (await stack.apple.truth(fleet.server)).map((one) => one.serial_number);
    const relabelled = rest.slice(0, 3);
    await stack.apple.portal('POST', '/devices/unassign', { serials: [gone] });
    await stack.apple.portal('POST', '/devices/label', {
      serials: relabelled,
      assetTag: 'SALES-1',
    });

    const run = await stack.api.sync(fleet.integrationId);
    expect(run).toMatchObject({ mode: 'delta', added: 0, modified: 3, removed: 1 });
    await expectTruth(stack, fleet);

    const removed = await stack.api.get<{ device: Device }>(`/api/v1/devices/${gone ?? ''}`);
    expect(removed).toMatchObject({ presence: 'removed' });
    const found = await stack.api.all<Device>('/api/v1/devices?q=sales-1');
    expect(found.map((device) => device.serial).sort()).toEqual([...relabelled].sort());
  });

  test('a device that comes back is present again and its timeline tells the story', async () => {
    const [serial = ''] = (await stack.apple.truth(fleet.server)).map((one) => one.serial_number);
    await stack.apple.portal('POST', '/devices/unassign', { serials: [serial] });
    await stack.api.sync(fleet.integrationId);
    await stack.apple.portal('POST', `/servers/${fleet.server}/devices`, { serials: [serial] });
    await stack.api.sync(fleet.integrationId);

    const device = await stack.api.get<{ presence: string; timeline: TimelineEntry[] }>(
      `/api/v1/devices/${serial}`,
    );
    expect(device.presence).toBe('present');
    const kinds = device.timeline.map((entry) => entry.kind);
    expect(kinds.slice(0, 2)).toEqual(['returned', 'removed']);
    expect(kinds.at(-1)).toBe('added');
  });

  test('a full sync reports nothing when the deltas have told everything', async () => {
    const run = await stack.api.sync(fleet.integrationId, 'full');
    expect(run).toMatchObject({ mode: 'full', added: 0, modified: 0, removed: 0 });
    expect(run.unchanged).toBeGreaterThan(1000);
    await expectTruth(stack, fleet);
  });

  test('a full sync finds and reports what the delta left out', async () => {
    const serials = (await stack.apple.truth(fleet.server)).map((one) => one.serial_number);
    const missed = serials.slice(0, 4);
    await stack.apple.fault({
      name: 'silently_missing',
      endpoints: ['sync'],
      params: { serials: missed },
    });
    await stack.apple.portal('POST', '/devices/unassign', { serials: missed });
    expect(await stack.api.sync(fleet.integrationId)).toMatchObject({ removed: 0 });
    await stack.apple.clearFaults();

    const run = await stack.api.sync(fleet.integrationId, 'full');
    expect(run.report?.removed.count).toBe(4);
    expect([...(run.report?.removed.sample ?? [])].sort()).toEqual([...missed].sort());
    await expectTruth(stack, fleet);
  });

  test('ABM takes the exported serials as they are', async () => {
    const csv = await stack.api.get<string>(
      `/api/v1/devices.csv?columns=serial&presence=present&integrationId=${fleet.integrationId}`,
    );
    const serials = csv.trimEnd().split(/\r?\n/);
    const truth = (await stack.apple.truth(fleet.server)).map((one) => one.serial_number);
    expect(serials.toSorted()).toEqual(truth.toSorted());
  });

  test('two Sync Nows at once are one run', async () => {
    await stack.apple.fault({ name: 'slow', endpoints: ['sync'], params: { delayMs: 1500 } });
    const ask = () =>
      stack.api.post<{ operation: { id: string } }>(
        `/api/v1/integrations/${fleet.integrationId}/sync`,
        {},
      );
    const asked = await Promise.all([ask(), ask(), ask()]);
    await stack.apple.clearFaults();
    expect(new Set(asked.map(({ operation }) => operation.id)).size).toBe(1);
  });

  test('a paused integration does not sync, and goes on after the resume', async () => {
    const path = `/api/v1/integrations/${fleet.integrationId}`;
    await stack.api.post(`${path}/pause`);
    await stack.apple.churn(fleet.server, 20);
    const refused = await stack.api.call('POST', `${path}/sync`, {});
    expect([refused.status, refused.body['code']]).toEqual([409, 'paused']);
    await stack.api.post(`${path}/resume`);
    await stack.api.sync(fleet.integrationId);
    await expectTruth(stack, fleet);
  });

  test('a second server of the same organization lives beside the first, and moves follow', async () => {
    const other = await connect(stack, { name: 'Paris', assignAll: false });
    const moving = (await stack.apple.truth(fleet.server))
      .slice(0, 5)
      .map((one) => one.serial_number);
    await stack.apple.portal('POST', `/servers/${other.server}/devices`, { serials: moving });
    await stack.api.sync(other.integrationId);
    await stack.api.sync(fleet.integrationId);
    await expectTruth(stack, other);
    await expectTruth(stack, fleet);
    const moved = await stack.api.get<Device>(`/api/v1/devices/${moving[0] ?? ''}`);
    expect(moved).toMatchObject({ integrationId: other.integrationId, presence: 'present' });
  });

  test('a token of another server, an old token and a damaged file change nothing', async () => {
    const certificate = await stack.api.get<string>(
      `/api/v1/integrations/${fleet.integrationId}/public-key`,
    );
    const elsewhere = await stack.apple.createServer({
      name: 'Elsewhere',
      certificate,
      assignAll: false,
    });
    const foreign = await stack.apple.downloadToken(elsewhere);
    const upload = (file: Uint8Array) => uploadToken(stack.api, fleet.integrationId, file);
    const before = await integration();

    const wrong = await upload(foreign);
    expect([wrong.status, wrong.body['code']]).toEqual([422, 'different_server']);
    const damaged = await upload(foreign.slice(0, 700));
    expect([damaged.status, damaged.body['code']]).toEqual([422, 'malformed_token']);

    const old = await stack.apple.downloadToken(fleet.server);
    const current = await stack.apple.downloadToken(fleet.server);
    const superseded = await upload(old);
    expect([superseded.status, superseded.body['code']]).toEqual([422, 'superseded_token']);
    expect(await integration()).toMatchObject({ token: { expiresAt: before.token.expiresAt } });

    expect((await upload(current)).status).toBe(200);
    expect((await stack.api.sync(fleet.integrationId)).state).toBe('succeeded');
    await expectTruth(stack, fleet);
  });
});
