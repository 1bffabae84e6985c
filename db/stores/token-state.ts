import type { Sql } from 'postgres';
import type { SyncStore } from '../../domain/sync.ts';
import { appendAudit, systemActor } from './audit-trail.ts';

type Input = Parameters<SyncStore['markTokenState']>[0];

/**
 * What Apple's answer says about the token. Nothing is written while it stays the same, but for a
 * rejection: its time is when we asked last.
 */
export async function markTokenState(sql: Sql, input: Input): Promise<void> {
  const { integrationId, tokenExpiresAt, tokenState, detail, now } = input;
  const [row] = await sql<{ token_state: string; token_state_detail: string | null }[]>`
    select token_state, token_state_detail from integrations where id = ${integrationId}`;
  if (row === undefined || row.token_state === 'none') return;
  if (row.token_state === tokenState && tokenState === 'valid') return;
  await sql.begin(async (tx) => {
    const [before] = await tx<{ token_state: string; token_state_detail: string | null }[]>`
      select token_state, token_state_detail from integrations
      where id = ${integrationId} and token_state <> 'none'
        and token_expires_at = ${new Date(tokenExpiresAt)} for update`;
    if (before === undefined) return;
    await tx`
      update integrations set token_state = ${tokenState}, token_state_detail = ${detail},
        token_state_at = ${now}, updated_at = ${now}
      where id = ${integrationId}`;
    if (before.token_state === tokenState) return;
    await appendAudit(tx, {
      at: now,
      actor: systemActor('sync'),
      action: 'integration.token_state_changed',
      object: { type: 'integration', id: integrationId },
      before: { tokenState: before.token_state, tokenStateDetail: before.token_state_detail },
      after: { tokenState, tokenStateDetail: detail },
    });
  });
}
