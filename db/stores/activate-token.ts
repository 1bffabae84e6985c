import { and, eq, ne, sql } from 'drizzle-orm';
import type { Actor } from '../../domain/audit.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Integration, IntegrationStore } from '../../domain/integration.ts';
import type { AdeAccount } from '../../domain/token.ts';
import type { Database, Orm } from '../client.ts';
import { adeSessions } from '../schema/ade-sessions.ts';
import { integrationKeys } from '../schema/integration-keys.ts';
import { integrations, type IntegrationRow } from '../schema/integrations.ts';
import { serverTokens } from '../schema/server-tokens.ts';
import { syncPositions } from '../schema/sync-positions.ts';
import { walkPages } from '../schema/walk-pages.ts';
import type { Sealer } from '../sealing.ts';
import { saveAuditEvent } from './audit-rows.ts';
import { noIntegration, shownInAudit, toIntegration } from './integration-rows.ts';
import { openToken, sealToken } from './token-secrets.ts';

type Input = Parameters<IntegrationStore['activateToken']>[0];

/** See `IntegrationStore.activateToken`. */
export async function activateToken(
  { orm, sealer }: Pick<Database, 'orm'> & { sealer: Sealer },
  input: Input,
  actor: Actor,
): Promise<Integration> {
  const { integrationId: id, token, account, now } = input;
  try {
    return await orm.transaction(async (tx) => {
      // The position first, as everywhere: a page that is being written ends before this begins.
      await tx
        .select({ id: syncPositions.integrationId })
        .from(syncPositions)
        .where(eq(syncPositions.integrationId, id))
        .for('update');
      const [before] = await tx
        .select()
        .from(integrations)
        .where(eq(integrations.id, id))
        .for('no key update');
      if (before === undefined) throw noIntegration(id);
      await refuseOvertaken(tx, sealer, toIntegration(before), input);
      if (account !== null) await refuseForeign(tx, before, account);

      await useKey(tx, id, input.certificatePem);
      const sealed = {
        ...sealToken(sealer, id, token),
        expiresAt: new Date(token.expiresAt),
      };
      await tx
        .insert(serverTokens)
        .values({ integrationId: id, ...sealed })
        .onConflictDoUpdate({ target: serverTokens.integrationId, set: sealed });
      await dropSession(tx, id);
      if (account !== null && account.serverUuid !== before.serverUuid) await dropCursor(tx, id);

      const [after] = await tx
        .update(integrations)
        .set({
          ...(account === null ? {} : factsOf(account)),
          tokenState: account === null ? 'terms_not_signed' : 'valid',
          tokenStateDetail: null,
          tokenStateAt: now,
          tokenExpiresAt: sealed.expiresAt,
          tokenUploadedAt: now,
          updatedAt: now,
        })
        .where(eq(integrations.id, id))
        .returning();
      if (after === undefined) throw noIntegration(id);
      await saveAuditEvent(tx, {
        at: now,
        actor,
        action: 'token.activated',
        object: { type: 'integration', id },
        before: shownInAudit(before),
        after: shownInAudit(after),
      });
      return toIntegration(after);
    });
  } catch (error) {
    throw isServerTaken(error) ? alreadyConnected(null) : error;
  }
}

function factsOf(account: AdeAccount): Partial<IntegrationRow> {
  const { organization, serverName, serverUuid, adminId, orgIdHash, fetchLimit, syncLimit } =
    account;
  return { organization, serverName, serverUuid, adminId, orgIdHash, fetchLimit, syncLimit };
}

/** The organization first: a server of another organization is always another server too. */
async function refuseForeign(tx: Orm, before: IntegrationRow, account: AdeAccount): Promise<void> {
  const differs = (ours: string | null, theirs: string | null) =>
    ours !== null && theirs !== null && ours !== theirs;
  if (differs(before.orgIdHash, account.orgIdHash))
    throw new DomainError(
      'different_organization',
      'This token belongs to another organization than the one this integration is connected to.',
    );
  if (differs(before.serverUuid, account.serverUuid))
    throw new DomainError(
      'different_server',
      'This token belongs to another server in Apple Business Manager than the one this integration is connected to.',
    );
  const [other] = await tx
    .select({ name: integrations.name })
    .from(integrations)
    .where(and(eq(integrations.serverUuid, account.serverUuid), ne(integrations.id, before.id)));
  if (other !== undefined) throw alreadyConnected(other.name);
}

function alreadyConnected(name: string | null): DomainError {
  return new DomainError(
    'server_already_connected',
    `This token's server is connected already${name === null ? '' : ` by the integration "${name}"`}. ` +
      'Renew the token there, or delete that integration first.',
  );
}

/**
 * Of two uploads at once the later to be written need not be the newer token. Uploading again decides:
 * Apple refuses a token that has been replaced. The same file twice is no conflict.
 */
async function refuseOvertaken(
  tx: Orm,
  sealer: Sealer,
  { id, token: inUse }: Integration,
  { replaces, token }: Input,
): Promise<void> {
  if (inUse?.uploadedAt === replaces?.uploadedAt && inUse?.expiresAt === replaces?.expiresAt)
    return;
  const [row] = await tx.select().from(serverTokens).where(eq(serverTokens.integrationId, id));
  if (row !== undefined && openToken(sealer, row).accessToken === token.accessToken) return;
  throw new DomainError(
    'conflict',
    'Another token was taken into use while this one was being checked. Upload this one again if it is the newer of the two.',
  );
}

/** The pair that the token was made for becomes the current one, unless it is. */
async function useKey(tx: Orm, id: string, certificatePem: string): Promise<void> {
  const ofIntegration = eq(integrationKeys.integrationId, id);
  const [key] = await tx
    .select({ id: integrationKeys.id, role: integrationKeys.role })
    .from(integrationKeys)
    .where(and(ofIntegration, eq(integrationKeys.certificatePem, certificatePem)));
  if (key === undefined)
    throw new DomainError(
      'conflict',
      'The key pair that this token was made for was replaced while the token was being checked. ' +
        'Upload the public key of this integration to its server in Apple Business Manager, then download a new token and upload that.',
    );
  if (key.role === 'current') return;
  await tx.delete(integrationKeys).where(and(ofIntegration, eq(integrationKeys.role, 'current')));
  await tx.update(integrationKeys).set({ role: 'current' }).where(eq(integrationKeys.id, key.id));
}

/**
 * The generation grows, so that a renewal under the old token cannot come back; and a row is left, so
 * that one that begins right now waits for the new token.
 */
async function dropSession(tx: Orm, id: string): Promise<void> {
  await tx
    .insert(adeSessions)
    .values({ integrationId: id, generation: 1 })
    .onConflictDoUpdate({
      target: adeSessions.integrationId,
      set: {
        sealed: null,
        keyId: null,
        claimedUntil: null,
        generation: sql`${adeSessions.generation} + 1`,
      },
    });
}

async function dropCursor(tx: Orm, id: string): Promise<void> {
  await tx
    .update(syncPositions)
    .set({ phase: 'fetch', cursor: null, cursorAt: null, walkId: null, walkStartedAt: null })
    .where(eq(syncPositions.integrationId, id));
  await tx.delete(walkPages).where(eq(walkPages.integrationId, id));
}

function isServerTaken(error: unknown): boolean {
  const { code, constraint_name: constraint } = (
    error instanceof Error && error.cause !== undefined ? error.cause : error
  ) as { code?: string; constraint_name?: string };
  return code === '23505' && constraint === 'integrations_server_uuid';
}
