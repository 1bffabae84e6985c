import type { Context } from 'hono';
import { actorOf } from '../actor.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { idempotent } from '../middleware/idempotency.ts';
import { apiRoute } from '../route.ts';
import { idParams } from '../schemas/common.ts';
import { newRouter } from './router.ts';

const tags = ['Server token'];
const pem = (description: string) => ({
  description,
  content: { 'application/x-pem-file': { schema: { type: 'string' as const } } },
});

/** The certificate that Apple encrypts a server token for. */
export function publicKeyRoutes(deps: ApiDeps) {
  const { integrations, newTokenKey } = deps;

  const download = apiRoute({ role: 'viewer', errors: ['not_found'] }, {
    method: 'get',
    path: '/integrations/{id}/public-key',
    operationId: 'getPublicKey',
    summary: 'The certificate to upload to Apple Business Manager',
    description: 'The staged one while a renewal is under way, else the current one.',
    tags,
    request: { params: idParams },
    responses: { 200: pem('A PEM file') },
  } as const);
  const stage = apiRoute(
    {
      role: 'admin',
      errors: ['not_found'],
      middleware: [idempotent(deps)],
    },
    {
      method: 'post',
      path: '/integrations/{id}/public-key',
      operationId: 'stagePublicKey',
      summary: 'Stage a new key pair for a renewal',
      description: 'The current one works until a token for the new one is proven.',
      tags,
      request: { params: idParams },
      responses: { 201: pem('The new PEM file') },
    } as const,
  );

  return newRouter()
    .openapi(download, async (c) => {
      const { id } = c.req.valid('param');

      const { name } = await integrations.get(id);
      const [key] = await integrations.listKeys(id);
      if (key === undefined) throw new TypeError('an integration has no key pair');

      return attach(c, key.certificatePem, name, 200);
    })
    .openapi(stage, async (c) => {
      const { id } = c.req.valid('param');

      const { name } = await integrations.get(id);
      const key = await newTokenKey({ name });
      await integrations.saveStagedKey(id, key, actorOf(c));

      return attach(c, key.certificatePem, name, 201);
    });
}

/** Apple's portal takes `.pem` and `.cer`, and refuses the `.crt` that browsers make of a certificate. */
function attach(c: Context<ApiEnv>, certificate: string, name: string, status: 200 | 201) {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 60);
  return c.body(certificate, status, {
    'content-type': 'application/x-pem-file',
    'content-disposition': `attachment; filename="guardmdm-${slug === '' ? 'public-key' : slug}.pem"`,
  });
}
