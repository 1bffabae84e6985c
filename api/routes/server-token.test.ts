import { describe, expect, test } from 'vitest';
import { DomainError, type ErrorCode } from '../../domain/errors.ts';
import { anIntegration } from '../../test/api/fake-stores.ts';
import { startApp } from '../../test/api/harness.ts';

const bytes = new Uint8Array([0x30, 0x80, 0x00, 0xff, 0x0d, 0x0a]);

async function withUpload(fail?: Error) {
  const files: Uint8Array[] = [];
  const row = anIntegration();
  const started = await startApp({
    activateToken: async ({ integrationId, file }, actor) => {
      if (fail !== undefined) throw fail;
      files.push(file);
      started.told.push(`activate ${integrationId} by ${actor.name}`);
      return row;
    },
  });
  started.integrations.rows.set(row.id, row);
  return { ...started, files, row, path: `integrations/${row.id}/server-token` };
}

describe('an upload', () => {
  test.each([
    'application/pkcs7-mime',
    'application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m',
    'application/octet-stream',
    'Text/Plain; charset=utf-8',
    undefined,
  ])('as %s reaches the exchange byte by byte, then wakes the sync', async (type) => {
    const { ask, files, path, row, told } = await withUpload();

    const { status, body } = await ask('PUT', path, {
      body: bytes,
      headers: type === undefined ? {} : { 'content-type': type },
    });

    expect(status).toBe(200);
    expect(body['id']).toBe(row.id);
    expect(files).toEqual([bytes]);
    expect(told).toEqual([`activate ${row.id} by admin`, `wake ${row.id}`]);
  });

  test('as the field "file" of a form does too', async () => {
    const { ask, files, path } = await withUpload();
    const form = new FormData();
    form.set('file', new Blob([bytes]), 'token.p7m');

    expect((await ask('PUT', path, { body: form })).status).toBe(200);
    expect(files).toEqual([bytes]);
  });

  test('tells the loop that it is a new token, which counts at once', async () => {
    const { ask, path, row, deps } = await withUpload();
    const woken: unknown[] = [];
    deps.sync.wake = async (...said) => {
      woken.push(said);
    };

    expect((await ask('PUT', path, { body: bytes })).status).toBe(200);
    expect(woken).toEqual([[row.id, 'token']]);
  });

  test('succeeds while Temporal is away: the loop sees it by itself within five minutes', async () => {
    const { ask, path, deps } = await withUpload();
    deps.sync.wake = async () => {
      throw new DomainError('temporal_unavailable', 'away');
    };

    expect((await ask('PUT', path, { body: bytes })).status).toBe(200);
  });
});

describe('an upload that cannot be a token', () => {
  const form = (...fields: [string, string][]) => {
    const data = new FormData();
    for (const [name, value] of fields) data.append(name, value);
    return data;
  };
  const octets = { 'content-type': 'application/octet-stream' };

  test.each([
    ['is empty', { body: new Uint8Array(), headers: octets }, 422, 'malformed_token'],
    ['is missing', {}, 422, 'malformed_token'],
    ['is an empty file', { body: form(['file', '']) }, 422, 'malformed_token'],
    [
      'is JSON',
      { body: '{}', headers: { 'content-type': 'application/json' } },
      415,
      'unsupported_media_type',
    ],
    [
      'is above 1 MiB',
      { body: new Uint8Array(1024 * 1024 + 1), headers: octets },
      413,
      'payload_too_large',
    ],
    [
      'is far above 1 MiB',
      { body: new Uint8Array(3 * 1024 * 1024), headers: octets },
      413,
      'payload_too_large',
    ],
    ['is in another field', { body: form(['token', 'x']) }, 400, 'invalid_request'],
    ['is there twice', { body: form(['file', 'x'], ['file', 'y']) }, 400, 'invalid_request'],
    [
      'is half a form',
      {
        body: '--x\r\nContent-Disp',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      },
      400,
      'invalid_request',
    ],
    [
      'is a form without a boundary',
      { body: 'x', headers: { 'content-type': 'multipart/form-data' } },
      400,
      'invalid_request',
    ],
  ])('because it %s is refused before anybody is asked', async (_title, init, status, code) => {
    const { ask, files, path } = await withUpload();

    const answer = await ask('PUT', path, init);

    expect(answer).toMatchObject({ status, body: { code } });
    expect(files).toEqual([]);
  });

  test('exactly 1 MiB is passed on', async () => {
    const { ask, files, path } = await withUpload();

    await ask('PUT', path, { body: new Uint8Array(1024 * 1024), headers: octets });

    expect(files[0]?.length).toBe(1024 * 1024);
  });
});

test.each<[ErrorCode, number]>([
  ['malformed_token', 422],
  ['wrong_key', 422],
  ['expired_token', 422],
  ['superseded_token', 422],
  ['access_denied', 422],
  ['different_server', 422],
  ['different_organization', 422],
  ['server_already_connected', 422],
  ['apple_unreachable', 502],
  ['not_found', 404],
])('a refusal with %s answers %i, says why, and wakes nobody', async (code, status) => {
  const { ask, path, told } = await withUpload(new DomainError(code, 'This is why.'));

  const answer = await ask('PUT', path, { body: bytes });

  expect(answer).toMatchObject({ status, body: { code, detail: 'This is why.' } });
  expect(told).toEqual([]);
});
