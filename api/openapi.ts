import type { OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from './deps.ts';

/** The contract as a document, from the same schemas that validate. */
export function openApiDocument(app: OpenAPIHono<ApiEnv>) {
  app.openAPIRegistry.registerComponent('securitySchemes', 'apiKey', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key: `gmk_…`',
  });
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'GuardMDM ABM',
      version: '1',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
      description: [
        'Apple Business Manager and Automated Device Enrollment for GuardMDM.',
        'Roles: `viewer` reads; `operator` also syncs, assigns, groups; `admin` everything. `x-required-role` names the smallest one for a call.',
        'Failures are RFC 9457 `application/problem+json` with a stable `code`.',
        'Lists take `limit` and `cursor` and answer `{items, nextCursor}`. Writes take `Idempotency-Key` and replay their answer for a day.',
      ].join('\n\n'),
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'Integrations' },
      { name: 'Server token' },
      { name: 'Sync' },
      { name: 'Devices' },
      { name: 'Operations' },
      { name: 'API keys' },
      { name: 'Audit' },
    ],
  });
}
