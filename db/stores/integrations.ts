import { and, asc, desc, eq, gt, sql } from 'drizzle-orm';
import type { Actor } from '../../domain/audit.ts';
import type { Integration, IntegrationStore, TokenKey } from '../../domain/integration.ts';
import type { Database, Orm } from '../client.ts';
import { cursorForms, decodeCursor, pageOf } from '../cursor.ts';
import { newId } from '../new-id.ts';
import { integrationKeys } from '../schema/integration-keys.ts';
import { integrations, type IntegrationRow } from '../schema/integrations.ts';
import { serverTokens } from '../schema/server-tokens.ts';
import { syncPositions } from '../schema/sync-positions.ts';
import type { Sealer } from '../sealing.ts';
import { activateToken } from './activate-token.ts';
import { saveAuditEvent } from './audit-rows.ts';
import { countDevices } from './device-counts.ts';
import { noIntegration, shownInAudit, toIntegration } from './integration-rows.ts';
import { readOverview } from './sync-overview.ts';
import { openToken } from './token-secrets.ts';

export interface IntegrationStoreDeps extends Pick<Database, 'orm' | 'sql'> {
  sealer: Sealer;
  now: () => Date;
}

export function createIntegrationStore(deps: IntegrationStoreDeps): IntegrationStore {
  const { orm, sealer, now } = deps;

  const find = async (id: string): Promise<Integration | undefined> => {
    if (!cursorForms.uuid.test(id)) return undefined;
    const [row] = await orm.select().from(integrations).where(eq(integrations.id, id));
    return row === undefined ? undefined : toIntegration(row);
  };

  /** Changes one integration and tells the trail; `change` returns null to leave all as it is. */
  const change = (
    id: string,
    actor: Actor,
    action: string,
    changeOf: (row: IntegrationRow) => Partial<IntegrationRow> | null,
  ): Promise<Integration> =>
    orm.transaction(async (tx) => {
      const before = await lock(tx, id);
      const changes = changeOf(before);
      if (changes === null) return toIntegration(before);
      const at = now();
      const [after] = await tx
        .update(integrations)
        .set({ ...changes, updatedAt: at })
        .where(eq(integrations.id, id))
        .returning();
      if (after === undefined) throw noIntegration(id);
      await saveAuditEvent(tx, {
        at,
        actor,
        action,
        object: { type: 'integration', id },
        before: shownInAudit(before),
        after: shownInAudit(after),
      });
      return toIntegration(after);
    });

  return {
    find,

    async get(id) {
      const integration = await find(id);
      if (integration === undefined) throw noIntegration(id);
      return integration;
    },

    create: ({ name, notifyEmails, pageSize, key }, actor) =>
      orm.transaction(async (tx) => {
        const at = now();
        const [row] = await tx
          .insert(integrations)
          .values({
            id: newId(at.getTime()),
            name,
            notifyEmails,
            pageSize,
            createdAt: at,
            updatedAt: at,
          })
          .returning();
        if (row === undefined) throw new Error('PostgreSQL returned no row for an insert');
        await saveKey(tx, sealer, { integrationId: row.id, role: 'current', key, at });
        await tx.insert(syncPositions).values({ integrationId: row.id });
        await saveAuditEvent(tx, {
          at,
          actor,
          action: 'integration.created',
          object: { type: 'integration', id: row.id },
          before: null,
          after: shownInAudit(row),
        });
        return toIntegration(row);
      }),

    async list({ limit, cursor }) {
      const [after] = decodeCursor(cursor, [cursorForms.uuid]) ?? [];
      const rows = await orm
        .select()
        .from(integrations)
        .where(after === undefined ? undefined : gt(integrations.id, after))
        .orderBy(asc(integrations.id))
        .limit(limit + 1);
      return pageOf(rows, limit, toIntegration, (row) => [row.id]);
    },

    async listIds() {
      const rows = await orm.select({ id: integrations.id }).from(integrations);
      return rows.map((row) => row.id);
    },

    update: (id, patch, actor) =>
      change(id, actor, 'integration.updated', (row) => {
        const changes = {
          name: patch.name ?? row.name,
          notifyEmails: patch.notifyEmails ?? row.notifyEmails,
          pageSize: patch.pageSize ?? row.pageSize,
        };
        const { name, notifyEmails, pageSize } = row;
        const same = JSON.stringify({ name, notifyEmails, pageSize }) === JSON.stringify(changes);
        return same ? null : changes;
      }),

    markPaused: (id, paused, actor) =>
      change(id, actor, paused ? 'integration.paused' : 'integration.resumed', (row) =>
        (row.pausedAt !== null) === paused ? null : { pausedAt: paused ? now() : null },
      ),

    delete: (id, actor) =>
      orm.transaction(async (tx) => {
        // The position first: a page that is being written ends before its integration does.
        await tx.delete(syncPositions).where(eq(syncPositions.integrationId, id));
        const row = await lock(tx, id);
        await tx.execute(sql`
          delete from device_events e using devices d
          where d.integration_id = ${id} and e.serial = d.serial`);
        await tx.execute(sql`delete from devices where integration_id = ${id}`);
        await tx.delete(integrations).where(eq(integrations.id, id));
        await saveAuditEvent(tx, {
          at: now(),
          actor,
          action: 'integration.deleted',
          object: { type: 'integration', id },
          before: shownInAudit(row),
          after: null,
        });
      }),

    counts: (id) => countDevices(deps.sql, id),
    overview: (id) => readOverview(deps.sql, id, now()),

    async listKeys(id) {
      const rows = await orm
        .select()
        .from(integrationKeys)
        .where(eq(integrationKeys.integrationId, id))
        .orderBy(desc(integrationKeys.role)); // 'staged' sorts after 'current'
      return rows.map((row) => ({
        role: row.role,
        certificatePem: row.certificatePem,
        privateKeyPem: sealer.open({ table: 'integration_keys', rowId: row.id }, row),
      }));
    },

    saveStagedKey: (id, key, actor) =>
      orm.transaction(async (tx) => {
        await lock(tx, id);
        const at = now();
        await tx
          .delete(integrationKeys)
          .where(and(eq(integrationKeys.integrationId, id), eq(integrationKeys.role, 'staged')));
        await saveKey(tx, sealer, { integrationId: id, role: 'staged', key, at });
        await saveAuditEvent(tx, {
          at,
          actor,
          action: 'key.staged',
          object: { type: 'integration', id },
          before: null,
          after: { certificatePem: key.certificatePem },
        });
      }),

    async findToken(id) {
      const [row] = await orm.select().from(serverTokens).where(eq(serverTokens.integrationId, id));
      return row === undefined ? null : openToken(sealer, row);
    },

    activateToken: (input, actor) => activateToken(deps, input, actor),
  };
}

/** Not `for update`: pages that are being written hold references to the row. */
async function lock(tx: Orm, id: string): Promise<IntegrationRow> {
  const [row] = await tx
    .select()
    .from(integrations)
    .where(eq(integrations.id, id))
    .for('no key update');
  if (row === undefined) throw noIntegration(id);
  return row;
}

async function saveKey(
  tx: Orm,
  sealer: Sealer,
  input: { integrationId: string; role: 'current' | 'staged'; key: TokenKey; at: Date },
): Promise<void> {
  const { integrationId, role, key, at } = input;
  const id = newId(at.getTime());
  await tx.insert(integrationKeys).values({
    id,
    integrationId,
    role,
    certificatePem: key.certificatePem,
    ...sealer.seal({ table: 'integration_keys', rowId: id }, key.privateKeyPem),
    createdAt: at,
  });
}
