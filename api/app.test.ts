import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { roleCovers, roles } from '../domain/api-key.ts';
import { errorCodes } from '../domain/errors.ts';
import { secrets, startApp } from '../test/api/harness.ts';
import { problems } from './errors.ts';

interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
}
interface Operation {
  operationId: string;
  'x-required-role'?: string;
  parameters?: { name: string; in: string }[];
  responses: Record<string, { headers?: Record<string, unknown> }>;
}

const someId = '6f1f2d2c-6a54-4a0c-9d0e-0c6a1b1f9a11';
const concrete = (path: string) =>
  path.replace('{id}', someId).replace('{runId}', someId).replace('{serial}', 'C39XQ0AAJ1WL');

async function operations() {
  const { ask } = await startApp();
  const { body } = await ask('GET', '/api/v1/openapi.json', { key: null });
  return Object.entries((body as unknown as OpenApi).paths).flatMap(([path, verbs]) =>
    Object.entries(verbs).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      role: operation['x-required-role'],
      responses: Object.keys(operation.responses),
      operation,
    })),
  );
}

describe('the OpenAPI document', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { ask } = await startApp();
    const { body, status } = await ask('GET', '/api/v1/openapi.json', { key: null });

    const verdict = await new Validator().validate(structuredClone(body));

    expect(verdict).toMatchObject({ valid: true });
    expect(status).toBe(200);
    expect(body['openapi']).toBe('3.1.0');
  });

  test('covers every route under /api/v1, and the contract', async () => {
    const { app } = await startApp();
    const documented = (await operations()).map(({ method, path }) => `${method} ${path}`);

    const mounted = app.routes
      .filter(({ method, path }) => method !== 'ALL' && path.startsWith('/api/v1/'))
      .filter(({ path }) => path !== '/api/v1/openapi.json')
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);

    expect([...new Set(documented)].sort()).toEqual([...new Set(mounted)].sort());
    expect(documented).toEqual(
      expect.arrayContaining([
        'POST /api/v1/integrations',
        'PUT /api/v1/integrations/{id}/server-token',
        'POST /api/v1/integrations/{id}/sync',
        'GET /api/v1/devices.csv',
        'POST /api/v1/operations/{id}/cancel',
      ]),
    );
  });

  test('names the headers that calls take and give', async () => {
    for (const { method, path, operation } of await operations()) {
      const call = `${method} ${path}`;
      const { parameters = [], responses } = operation;
      const takesKey = parameters.some((one) => one.name === 'Idempotency-Key');
      const headersOf = (status: number) => Object.keys(responses[status]?.headers ?? {});

      expect({ call, takesKey }).toEqual({ call, takesKey: method !== 'GET' });
      expect(headersOf(401)).toEqual(['WWW-Authenticate']);
      for (const status of [429, 503]) expect(headersOf(status)).toEqual(['Retry-After']);
      const started = ['createIntegration', 'createApiKey', 'syncNow'];
      const gives = [200, 201, 202].some((status) => headersOf(status).includes('Location'));
      expect({ call, gives }).toEqual({
        call,
        gives: started.includes(operation.operationId),
      });
    }
  });

  test('every call names its role and its failures', async () => {
    for (const { role, responses, method, path } of await operations()) {
      expect(roles, `${method} ${path}`).toContain(role);
      expect(responses).toEqual(expect.arrayContaining(['400', '401', '403', '429', '503']));
    }
  });
});

describe('every call', () => {
  test('without a key is 401 and says how to authenticate', async () => {
    const { ask } = await startApp();
    for (const { method, path } of await operations()) {
      const { status, body, headers } = await ask(method, concrete(path), { key: null });
      expect({ method, path, status }).toEqual({ method, path, status: 401 });
      expect(body).toMatchObject({ code: 'unauthorized' });
      expect(headers.get('www-authenticate')).toContain('Bearer');
      expect(headers.get('content-type')).toBe('application/problem+json');
    }
  });

  test('with too small a role is 403, and with a role that covers it is not', async () => {
    const { ask } = await startApp();
    for (const { method, path, role: needed } of await operations())
      for (const role of roles) {
        const { status } = await ask(method, concrete(path), { key: secrets[role] });
        const refused = !roleCovers(role, needed as (typeof roles)[number]);
        expect({ method, path, role, refused: status === 403 }).toEqual({
          method,
          path,
          role,
          refused,
        });
      }
  });

  test('refuses a query parameter that it does not know, by name', async () => {
    const { ask } = await startApp();
    for (const { method, path } of await operations()) {
      const { status, body } = await ask(method, `${concrete(path)}?surprise=1`, {
        ...(method === 'GET' ? {} : { json: {} }),
      });
      expect({ method, path, status }).toEqual({ method, path, status: 400 });
      expect(JSON.stringify(body['errors'])).toContain('query.surprise');
    }
  });
});

test('every error code has a status of its kind', () => {
  for (const code of errorCodes) expect(problems[code].status).toBeGreaterThanOrEqual(400);
});

describe('paths and methods', () => {
  test('an unknown path is a problem, with and without a key', async () => {
    const { ask } = await startApp();

    const outside = await ask('GET', '/nope', { key: null });
    const inside = await ask('GET', 'nope');

    expect(outside).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(inside).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('a known path with another method is 405 with what it takes', async () => {
    const { ask } = await startApp();

    const answer = await ask('DELETE', 'devices');

    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  test('OPTIONS says what a path takes and HEAD answers without a body', async () => {
    const { ask } = await startApp();

    const options = await ask('OPTIONS', 'integrations', { key: null });
    const head = await ask('HEAD', 'integrations');

    expect(options.status).toBe(204);
    expect(options.headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS');
    expect(head).toMatchObject({ status: 200, text: '' });
  });

  test('the root leads to the page of the API', async () => {
    const { ask } = await startApp();

    const root = await ask('GET', '/', { key: null });

    expect(root.status).toBe(302);
    expect(root.headers.get('location')).toBe('/api/docs');
  });
});

describe('a request id', () => {
  test('is taken from the caller when it is sane, and made when it is not', async () => {
    const { ask } = await startApp();

    const sane = await ask('GET', '/nope', { headers: { 'x-request-id': 'trace-0042' } });
    const silly = await ask('GET', '/nope', { headers: { 'x-request-id': 'a b"<script>' } });

    expect(sane.body['requestId']).toBe('trace-0042');
    expect(sane.headers.get('x-request-id')).toBe('trace-0042');
    expect(silly.body['requestId']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('failures of our own', () => {
  const marker = 'MARKER-SECRET-93ab';

  test('a bug answers its request id and nothing else, and the log keeps the secret too', async () => {
    const { ask, log, integrations } = await startApp();
    integrations.list = async () => {
      throw Object.assign(new Error(`select ... params: ${marker}`, { cause: new Error(marker) }), {
        query: marker,
      });
    };

    const { status, body, text } = await ask('GET', `integrations`);

    expect({ status, code: body['code'] }).toEqual({ status: 500, code: 'internal_error' });
    expect(Object.keys(body).sort()).toEqual(
      ['code', 'detail', 'requestId', 'status', 'title', 'type'].sort(),
    );
    expect(body['detail']).toContain(body['requestId']);
    expect(text).not.toContain(marker);
    expect(log.join('')).not.toContain(marker);
    expect(log.join('')).toContain('a request failed unexpectedly');
    expect(log.join('')).toContain(String(body['requestId']));
  });

  test('Postgres away is 503 with a time to come back, however deep the driver hides it', async () => {
    const { ask, integrations, log } = await startApp();
    integrations.list = async () => {
      const refused = Object.assign(new Error(marker), { code: 'ECONNREFUSED' });
      throw new Error(marker, { cause: new AggregateError([refused]) });
    };

    const answer = await ask('GET', 'integrations');

    expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.text + log.join('')).not.toContain(marker);
  });

  test('Postgres away while the key is looked up is 503 and not 401', async () => {
    const { ask, apiKeys } = await startApp();
    apiKeys.findByHash = async () => {
      throw Object.assign(new Error(marker), { code: 'CONNECTION_CLOSED' });
    };

    expect(await ask('GET', 'integrations')).toMatchObject({
      status: 503,
      body: { code: 'database_unavailable' },
    });
  });
});

describe('the access log', () => {
  test('has one line a request with its route, and neither query nor key', async () => {
    const { ask, log } = await startApp();

    await ask('GET', 'devices?q=MARKER-QUERY');

    const lines = log.map((line) => JSON.parse(line) as Record<string, unknown>);
    const requests = lines.filter(({ msg }) => msg === 'request');
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: 'GET',
      path: '/api/v1/devices',
      route: '/api/v1/devices',
      status: 200,
    });
    expect(log.join('')).not.toContain('MARKER-QUERY');
    expect(log.join('')).not.toContain(secrets.admin);
  });
});
