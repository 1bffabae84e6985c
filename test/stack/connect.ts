import type { Stack } from './stack.ts';

export interface Connected {
  integrationId: string;
  /** Apple's uuid of the MDM server entry. */
  server: string;
}

/** The token exchange, as an admin does it: our certificate up, Apple's encrypted token back. */
export async function connect(
  { api, apple }: Pick<Stack, 'api' | 'apple'>,
  options: { name?: string; pageSize?: number; expiresAt?: string; assignAll?: boolean } = {},
): Promise<Connected> {
  const { name = 'Berlin', pageSize = 100, assignAll = true, expiresAt } = options;
  const { id } = await api.post<{ id: string }>('/api/v1/integrations', { name, pageSize });
  const certificate = await api.get<string>(`/api/v1/integrations/${id}/public-key`);
  const server = await apple.createServer({ name, certificate, assignAll });
  const file = await apple.downloadToken(server, expiresAt === undefined ? {} : { expiresAt });
  const answer = await uploadToken(api, id, file);
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return { integrationId: id, server };
}

export function uploadToken(api: Stack['api'], integrationId: string, file: Uint8Array) {
  return api.call('PUT', `/api/v1/integrations/${integrationId}/server-token`, file, {
    'content-type': 'application/pkcs7-mime',
  });
}
