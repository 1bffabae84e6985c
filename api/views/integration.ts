import type { z } from '@hono/zod-openapi';
import { integrationStatus, type Integration } from '../../domain/integration.ts';
import type { ApiDeps } from '../deps.ts';
import type { integrationSchema } from '../schemas/integration.ts';
import { daysLeft, statusReason } from './status-reason.ts';

export type IntegrationView = z.infer<typeof integrationSchema>;

/** An integration with what its sync does and how many devices it has. */
export async function viewIntegration(
  { integrations, now }: Pick<ApiDeps, 'integrations' | 'now'>,
  integration: Integration,
): Promise<IntegrationView> {
  const [counts, sync] = await Promise.all([
    integrations.counts(integration.id),
    integrations.overview(integration.id),
  ]);
  const at = now();
  const { token, organization } = integration;
  return {
    id: integration.id,
    name: integration.name,
    status: integrationStatus(integration, at),
    statusReason: statusReason(integration, at),
    organization: organization && {
      name: organization.name,
      id: organization.id,
      email: organization.email,
      phone: organization.phone,
      address: organization.address,
    },
    serverName: integration.serverName,
    serverUuid: integration.serverUuid,
    adminId: integration.adminId,
    token: token && {
      expiresAt: token.expiresAt,
      daysLeft: daysLeft(token.expiresAt, at),
      uploadedAt: token.uploadedAt,
    },
    sync: {
      state: sync.state,
      mode: sync.mode,
      cursorAgeSeconds: ageSeconds(sync.cursorAt, at),
      lastCheckedAt: sync.lastCheckedAt,
      lastFullAt: sync.lastFullAt,
      lastRun: sync.lastRun,
      nextRunAt: sync.nextRunAt,
    },
    counts,
    notifyEmails: integration.notifyEmails,
    pageSize: integration.pageSize,
    pausedAt: integration.pausedAt,
    createdAt: integration.createdAt,
    updatedAt: integration.updatedAt,
  };
}

function ageSeconds(since: string | null, now: Date): number | null {
  return since === null
    ? null
    : Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 1000));
}
