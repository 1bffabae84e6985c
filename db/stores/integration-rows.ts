import { DomainError } from '../../domain/errors.ts';
import type { Integration } from '../../domain/integration.ts';
import type { IntegrationRow } from '../schema/integrations.ts';

export function toIntegration(row: IntegrationRow): Integration {
  return {
    id: row.id,
    name: row.name,
    notifyEmails: row.notifyEmails,
    pageSize: row.pageSize,
    tokenState: row.tokenState,
    tokenStateDetail: row.tokenStateDetail,
    token:
      row.tokenExpiresAt === null || row.tokenUploadedAt === null
        ? null
        : {
            expiresAt: row.tokenExpiresAt.toISOString(),
            uploadedAt: row.tokenUploadedAt.toISOString(),
          },
    pausedAt: row.pausedAt?.toISOString() ?? null,
    organization: row.organization,
    serverName: row.serverName,
    serverUuid: row.serverUuid,
    adminId: row.adminId,
    orgIdHash: row.orgIdHash,
    fetchLimit: row.fetchLimit,
    syncLimit: row.syncLimit,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/** What the audit trail shows of an integration; keys and token secrets are in other tables. */
export function shownInAudit(row: IntegrationRow): Record<string, unknown> {
  const { name, notifyEmails, pageSize, tokenState, token, pausedAt, ...rest } = toIntegration(row);
  const { serverName, serverUuid, adminId } = rest;
  return {
    name,
    notifyEmails,
    pageSize,
    tokenState,
    token,
    pausedAt,
    organization: rest.organization?.name ?? null,
    serverName,
    serverUuid,
    adminId,
  };
}

export function noIntegration(id: string): DomainError {
  return new DomainError('not_found', `There is no integration ${id}.`);
}
