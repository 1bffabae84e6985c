import { actorOf } from '../actor.ts';
import type { ApiDeps } from '../deps.ts';
import { ignoringOutage } from '../ignoring-outage.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { answers, apiRoute } from '../route.ts';
import { idParams } from '../schemas/common.ts';
import { integrationSchema } from '../schemas/integration.ts';
import { longestTokenBody, readTokenFile, tokenFileTypes } from '../token-file.ts';
import { viewIntegration } from '../views/integration.ts';
import { newRouter } from './router.ts';

const bytes = { schema: { type: 'string' as const, format: 'binary' } };

/** Upload of the `.p7m` that Apple Business Manager gives for an MDM server. */
export function serverTokenRoutes(deps: ApiDeps) {
  const upload = apiRoute(
    {
      role: 'admin',
      maxBodyBytes: longestTokenBody,
      middleware: [idempotent(deps)],
      errors: [
        'not_found',
        'malformed_token',
        'wrong_key',
        'expired_token',
        'superseded_token',
        'access_denied',
        'different_server',
        'different_organization',
        'server_already_connected',
        'apple_unreachable',
        'apple_throttled',
        'apple_refused',
        'apple_bad_reply',
      ],
    },
    {
      method: 'put',
      path: '/integrations/{id}/server-token',
      operationId: 'putServerToken',
      summary: 'Upload a server token',
      description:
        'Decrypts it, proves it against Apple, and only then swaps it in and starts the sync. ' +
        'Send the file as it is, or as the field `file` of a form; at most 1 MiB.',
      tags: ['Server token'],
      request: {
        params: idParams,
        body: {
          required: true,
          content: {
            ...Object.fromEntries(tokenFileTypes.map((type) => [type, bytes])),
            'multipart/form-data': {
              schema: {
                type: 'object' as const,
                properties: { file: { type: 'string' as const, format: 'binary' } },
                required: ['file'],
              },
            },
          },
        },
      },
      responses: { 200: answers('The integration, connected', integrationSchema) },
    } as const,
  );

  return newRouter().openapi(upload, async (c) => {
    const { id } = c.req.valid('param');
    const file = await readTokenFile(await c.req.arrayBuffer(), c.req.header('content-type'));

    const integration = await deps.activateToken({ integrationId: id, file }, actorOf(c));
    await ignoringOutage(c.get('logger'), () => deps.sync.wake(id, 'token'));

    return c.json(await viewIntegration(deps, integration), 200);
  });
}
