import type { ServerToken } from '../../domain/token.ts';
import type { Sealed, Sealer } from '../sealing.ts';

/** The four secrets of a server token rest under one seal. */
export function sealToken(sealer: Sealer, integrationId: string, token: ServerToken): Sealed {
  const { consumerKey, consumerSecret, accessToken, accessSecret } = token;
  return sealer.seal(
    { table: 'server_tokens', rowId: integrationId },
    JSON.stringify({ consumerKey, consumerSecret, accessToken, accessSecret }),
  );
}

export function openToken(
  sealer: Sealer,
  row: Sealed & { integrationId: string; expiresAt: Date },
): ServerToken {
  const place = { table: 'server_tokens', rowId: row.integrationId } as const;
  const secrets = JSON.parse(sealer.open(place, row)) as Omit<ServerToken, 'expiresAt'>;
  return { ...secrets, expiresAt: row.expiresAt.toISOString() };
}
