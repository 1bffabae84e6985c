import { and, asc, eq, gt, isNull, lt, or, sql } from 'drizzle-orm';
import type { ApiKey, ApiKeyStore } from '../../domain/api-key.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Database } from '../client.ts';
import { cursorForms, decodeCursor, pageOf } from '../cursor.ts';
import { newId } from '../new-id.ts';
import { apiKeys } from '../schema/api-keys.ts';
import { saveAuditEvent } from './audit-rows.ts';
import { systemActor } from './audit-trail.ts';

type ApiKeyRow = typeof apiKeys.$inferSelect;

export function createApiKeyStore(deps: Pick<Database, 'orm'> & { now: () => Date }): ApiKeyStore {
  const { orm, now } = deps;

  return {
    create: ({ name, role, expiresAt, secretHash }, actor) =>
      orm.transaction(async (tx) => {
        const at = now();
        const row = {
          id: newId(at.getTime()),
          name,
          role,
          secretHash,
          expiresAt: expiresAt === null ? null : new Date(expiresAt),
          createdAt: at,
          lastUsedAt: null,
        };
        await tx.insert(apiKeys).values(row);
        const key = toApiKey(row);
        await saveAuditEvent(tx, {
          at,
          actor,
          action: 'api_key.created',
          object: { type: 'api_key', id: key.id },
          before: null,
          after: { ...key },
        });
        return key;
      }),

    async findByHash(secretHash, at) {
      const [row] = await orm
        .select()
        .from(apiKeys)
        .where(
          and(
            eq(apiKeys.secretHash, secretHash),
            or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, at)),
          ),
        );
      return row === undefined ? undefined : { key: toApiKey(row), secretHash: row.secretHash };
    },

    async list({ limit, cursor }) {
      const after = decodeCursor(cursor, [cursorForms.time, cursorForms.uuid]);
      const rows = await orm
        .select()
        .from(apiKeys)
        .where(
          after === null
            ? undefined
            : sql`(${apiKeys.createdAt}, ${apiKeys.id}) > (${after[0]}::timestamptz, ${after[1]}::uuid)`,
        )
        .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id))
        .limit(limit + 1);
      return pageOf(rows, limit, toApiKey, (row) => [row.createdAt.toISOString(), row.id]);
    },

    revoke: (id, actor) =>
      orm.transaction(async (tx) => {
        // All keys are locked in one order: two revocations must not each spare the other's admin.
        const rows = await tx.select().from(apiKeys).orderBy(asc(apiKeys.id)).for('update');
        const row = rows.find((one) => one.id === id);
        if (row === undefined) throw new DomainError('not_found', `There is no API key ${id}.`);
        const isLasting = (one: ApiKeyRow) => one.role === 'admin' && one.expiresAt === null;
        if (isLasting(row) && rows.filter(isLasting).length === 1)
          throw new DomainError(
            'conflict',
            'This is the last admin key that does not expire. Make another one first.',
          );
        await tx.delete(apiKeys).where(eq(apiKeys.id, id));
        await saveAuditEvent(tx, {
          at: now(),
          actor,
          action: 'api_key.revoked',
          object: { type: 'api_key', id },
          before: { ...toApiKey(row) },
          after: null,
        });
      }),

    ensure: ({ name, role, secretHash }) =>
      orm.transaction(async (tx) => {
        const at = now();
        const row = { id: newId(at.getTime()), name, role, secretHash, createdAt: at };
        const [made] = await tx
          .insert(apiKeys)
          .values(row)
          .onConflictDoNothing({ target: apiKeys.secretHash })
          .returning();
        if (made !== undefined) {
          await saveAuditEvent(tx, {
            at,
            actor: systemActor('configuration'),
            action: 'api_key.created',
            object: { type: 'api_key', id: made.id },
            before: null,
            after: { ...toApiKey(made) },
          });
          return toApiKey(made);
        }
        const [held] = await tx.select().from(apiKeys).where(eq(apiKeys.secretHash, secretHash));
        if (held === undefined)
          throw new Error('an API key was revoked while it was being ensured');
        return toApiKey(held);
      }),

    async markUsed(id, at) {
      const minuteAgo = new Date(at.getTime() - 60_000);
      await orm
        .update(apiKeys)
        .set({ lastUsedAt: at })
        .where(
          and(
            eq(apiKeys.id, id),
            or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, minuteAgo)),
          ),
        );
    },
  };
}

function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  };
}
