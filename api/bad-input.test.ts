import { describe, expect, test } from 'vitest';
import { startApp } from '../test/api/harness.ts';

const json = { 'content-type': 'application/json' };
const id = '6f1f2d2c-6a54-4a0c-9d0e-0c6a1b1f9a11';

describe('what is wrong is named', () => {
  test.each([
    ['no name', {}, 'name'],
    ['an empty name', { name: '   ' }, 'name'],
    ['a name of two lines', { name: 'a\nb' }, 'name'],
    ['a NUL in a name', { name: 'a\u0000b' }, 'name'],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, 'name'],
    ['a name that is a number', { name: 7 }, 'name'],
    [
      'an address that is none',
      { name: 'A', notifyEmails: ['ok@example.org', 'no'] },
      'notifyEmails.1',
    ],
    [
      '51 addresses',
      { name: 'A', notifyEmails: Array<string>(51).fill('a@example.org') },
      'notifyEmails',
    ],
    ['a page size of 0', { name: 'A', pageSize: 0 }, 'pageSize'],
    ['a page size of 1001', { name: 'A', pageSize: 1001 }, 'pageSize'],
    ['a page size of 1.5', { name: 'A', pageSize: 1.5 }, 'pageSize'],
    ['a field that does not exist', { name: 'A', pagesize: 5 }, 'pagesize'],
    ['a list', [], 'body'],
    ['null', null, 'body'],
  ])('in a new integration: %s', async (_title, body, path) => {
    const { ask, integrations } = await startApp();

    const answer = await ask('POST', 'integrations', { json: body });

    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body['errors']).toEqual(
      expect.arrayContaining([expect.objectContaining({ path })]),
    );
    expect(integrations.rows.size).toBe(0);
  });

  test.each([
    ['devices?limit=0', 'query.limit'],
    ['devices?limit=1001', 'query.limit'],
    ['devices?limit=ten', 'query.limit'],
    ['devices?limit=1&limit=2', 'query.limit'],
    ['devices?limit=1e2', 'query.limit'],
    ['devices?os=windows', 'query.os'],
    ['devices?presence=gone', 'query.presence'],
    ['devices?assignment=none', 'query.assignment'],
    ['devices?enrollment=maybe', 'query.enrollment'],
    ['devices?integrationId=7', 'query.integrationId'],
    ['devices?q=', 'query.q'],
    ['devices?q=%00', 'query.q'],
    ['devices?cursor=', 'query.cursor'],
    ['devices?cursor=not-ours', 'query.cursor'],
    ['devices?profileId=1', 'query.profileId'],
    ['devices.csv?columns=', 'query.columns.0'],
    ['devices.csv?columns=serial,secret', 'query.columns.1'],
    ['devices.csv?limit=5', 'query.limit'],
    ['events?after=1&cursor=1', 'query.after'],
    [`operations/${id}?wait=61`, 'query.wait'],
    [`operations/${id}?wait=-1`, 'query.wait'],
  ])('in the query of %s', async (path, field) => {
    const { ask } = await startApp();

    const answer = await ask('GET', path);

    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body['errors']).toEqual(
      expect.arrayContaining([expect.objectContaining({ path: field })]),
    );
  });
});

describe('a body', () => {
  test.each([
    ['that is not JSON', { body: '{"name":', headers: json }, 400, 'malformed_json'],
    ['that is empty', { body: '', headers: json }, 400, 'malformed_json'],
    [
      'of another type',
      { body: 'name=A', headers: { 'content-type': 'text/html' } },
      415,
      'unsupported_media_type',
    ],
    ['of a form', { body: new URLSearchParams({ name: 'A' }) }, 415, 'unsupported_media_type'],
    [
      'above the cap',
      { body: JSON.stringify({ name: 'x'.repeat(70_000) }), headers: json },
      413,
      'payload_too_large',
    ],
  ])('%s is refused', async (_title, init, status, code) => {
    const { ask, integrations } = await startApp();

    const answer = await ask('POST', 'integrations', init);

    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(integrations.rows.size).toBe(0);
  });

  test('that is missing is refused', async () => {
    const { ask, integrations } = await startApp();

    const answer = await ask('POST', 'integrations');

    expect(answer.status).toBe(400);
    expect(integrations.rows.size).toBe(0);
  });

  test('above the cap is refused also when its length is not announced', async () => {
    const { app } = await startApp();
    const endless = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(16_384));
      },
    });

    const answer = await app.request('/api/v1/integrations', {
      method: 'POST',
      body: endless,
      duplex: 'half',
      headers: { ...json, authorization: 'Bearer gmk_admin_admin_admin_admin_admin' },
    });

    expect(answer.status).toBe(413);
  });
});

test.each([
  'integrations/x',
  `integrations/${id}`,
  `integrations/${id}/public-key`,
  `integrations/${id}/sync-runs`,
  `integrations/${id}/sync-runs/${id}`,
  'operations/x',
  `operations/${id}`,
  'devices/NOSUCH',
  'devices/%E0%A4%A',
  'devices/%00',
])('GET %s names nothing', async (path) => {
  const { ask } = await startApp();

  expect(await ask('GET', path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
});
