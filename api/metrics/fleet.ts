import {
  integrationStatus,
  type DeviceCounts,
  type Integration,
  type SyncOverview,
} from '../../domain/integration.ts';
import type { ApiDeps } from '../deps.ts';
import type { MetricFamily, MetricSample } from './exposition.ts';

interface Connected {
  integration: Integration;
  counts: DeviceCounts;
  overview: SyncOverview;
}

const deviceStates = [
  'assigned',
  'unassigned',
  'pending',
  'failed',
  'enrolled',
  'removed',
] as const satisfies readonly (keyof DeviceCounts)[];

/** What an alert is set on: age of the sync, life of the token, devices by state. */
export async function fleetMetrics(
  deps: Pick<ApiDeps, 'integrations' | 'now'>,
): Promise<MetricFamily[]> {
  const all = await readAll(deps);
  const now = deps.now();
  const gauge = (
    name: string,
    help: string,
    samplesOf: (one: Connected) => MetricSample[],
  ): MetricFamily => ({ name, help, type: 'gauge', samples: all.flatMap(samplesOf) });

  return [
    gauge(
      'abm_sync_age_seconds',
      'Since Apple last answered a sync to its end; before the first one, since the token came',
      (one) => sample(one, secondsSince(syncedSince(one), now)),
    ),
    gauge('abm_token_expiry_seconds', 'Until the server token expires; negative after it', (one) =>
      sample(one, negated(secondsSince(one.integration.token?.expiresAt ?? null, now))),
    ),
    gauge('abm_integration_status', '1 for the status that an integration has', (one) =>
      sample(one, 1, { status: integrationStatus(one.integration, now) }),
    ),
    gauge('abm_devices', 'Devices by state; removed ones are in no other state', (one) =>
      deviceStates.flatMap((state) => sample(one, one.counts[state], { state })),
    ),
  ];
}

async function readAll({ integrations }: Pick<ApiDeps, 'integrations'>): Promise<Connected[]> {
  const all: Connected[] = [];
  let cursor: string | null = null;
  do {
    const page = await integrations.list({ limit: 100, cursor });
    const read = page.items.map(async (integration) => ({
      integration,
      counts: await integrations.counts(integration.id),
      overview: await integrations.overview(integration.id),
    }));
    all.push(...(await Promise.all(read)));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return all;
}

function sample(
  { integration }: Connected,
  value: number | null,
  labels: Record<string, string> = {},
): MetricSample[] {
  if (value === null) return [];
  return [{ labels: { integration: integration.id, name: integration.name, ...labels }, value }];
}

/** An integration that never came to its first end must set off the alert, too. */
const syncedSince = ({ overview, integration }: Connected) =>
  overview.lastCheckedAt ?? integration.token?.uploadedAt ?? null;
const secondsSince = (time: string | null, now: Date) =>
  time === null ? null : (now.getTime() - Date.parse(time)) / 1000;
const negated = (value: number | null) => (value === null ? null : -value);
