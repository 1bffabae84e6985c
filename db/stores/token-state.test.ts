import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { insertIntegration } from '../../test/factories.ts';
import { createSyncStore } from './sync.ts';

const now = new Date('2026-02-01T00:00:00Z');
const tokenExpiresAt = '2027-01-01T00:00:00.000Z';

describe('what Apple says about a token', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const insert = () => insertIntegration(database, { token_expires_at: new Date(tokenExpiresAt) });
  async function stateOf(id: string) {
    const [row] = await database.sql<{ token_state: string; token_state_detail: string | null }[]>`
      select token_state, token_state_detail from integrations where id = ${id}`;
    return row;
  }
  const mark = (
    integrationId: string,
    tokenState: 'valid' | 'rejected' | 'terms_not_signed',
    about = tokenExpiresAt,
  ) =>
    createSyncStore(database).markTokenState({
      integrationId,
      tokenExpiresAt: about,
      tokenState,
      detail: tokenState === 'valid' ? null : 'token_rejected',
      now,
    });

  it('is kept with its words, audited once, and cleared by a good answer', async () => {
    const id = await insert();
    await mark(id, 'rejected');
    await mark(id, 'rejected');
    expect(await stateOf(id)).toEqual({
      token_state: 'rejected',
      token_state_detail: 'token_rejected',
    });
    await mark(id, 'valid');
    expect(await stateOf(id)).toEqual({ token_state: 'valid', token_state_detail: null });
    const audited = await database.sql`
      select after from audit_events where object_id = ${id} order by at, id`;
    expect(audited.map((row) => (row['after'] as { tokenState: string }).tokenState)).toEqual([
      'rejected',
      'valid',
    ]);
  });

  it('does not touch a token that was swapped in while Apple refused the one before', async () => {
    const id = await insert();
    await mark(id, 'rejected', '2026-06-01T00:00:00.000Z');
    expect(await stateOf(id)).toMatchObject({ token_state: 'valid' });
  });
});
