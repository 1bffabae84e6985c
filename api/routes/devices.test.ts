import { describe, expect, test } from 'vitest';
import { aDevice } from '../../test/api/fake-stores.ts';
import { startApp } from '../../test/api/harness.ts';

const profileId = '6f1f2d2c-6a54-4a0c-9d0e-0c6a1b1f9a11';
const groupId = '6f1f2d2c-6a54-4a0c-9d0e-0c6a1b1f9a12';
const groups = [{ id: groupId, name: 'Sales' }];

async function withDevices() {
  const started = await startApp();
  const mac = aDevice({
    serial: 'B2',
    os: 'macos',
    family: 'Mac',
    profile: { id: profileId, name: 'Default', source: 'group' },
    groups,
    description: '=HYPERLINK("http://x","y")',
    assetTag: 'Room 1, "north"\r\nshelf',
  });
  const gone = aDevice({ serial: 'C3', presence: 'removed', groups });
  for (const device of [aDevice({ serial: 'A1' }), mac, gone])
    started.devices.rows.set(device.serial, device);
  return started;
}

describe('the device list', () => {
  test.each([
    ['', ['A1', 'B2', 'C3']],
    ['?os=macos', ['B2']],
    ['?family=iPad&presence=present', ['A1']],
    ['?assignment=unassigned&limit=1', ['A1']],
    ['?enrollment=enrolled', []],
    ['?q=c', ['C3']],
    [`?profileId=${profileId}`, ['B2']],
    [`?groupId=${groupId}`, ['B2', 'C3']],
    [`?groupId=${groupId}&presence=present&enrollment=not_enrolled`, ['B2']],
    [`?profileId=${groupId}`, []],
  ])('%s holds %j', async (query, serials) => {
    const { ask } = await withDevices();

    const { status, body } = await ask('GET', `devices${query}`);

    expect(status).toBe(200);
    expect((body['items'] as { serial: string }[]).map(({ serial }) => serial)).toEqual(serials);
  });

  test.each(['profileId', 'groupId'])('takes only an id as %s', async (name) => {
    const { ask } = await startApp();

    for (const path of ['devices', 'devices.csv'])
      expect(await ask('GET', `${path}?${name}=sales`)).toMatchObject({
        status: 400,
        body: { errors: [{ path: `query.${name}` }] },
      });
  });

  test('shows a device as the contract says', async () => {
    const { ask, devices } = await withDevices();

    const { body } = await ask('GET', 'devices?limit=1');

    expect(body).toEqual({ items: [devices.rows.get('A1')], nextCursor: '1' });
  });
});

describe('one device', () => {
  test('is found by its serial however it is typed, with its history', async () => {
    const { ask, devices } = await withDevices();
    const entry = {
      id: '1',
      at: '2026-01-01T00:00:00.000Z',
      kind: 'added' as const,
      runId: null,
      changes: {},
    };
    devices.history.set('A1', [entry]);

    const { status, body } = await ask('GET', 'devices/%20a1%20');
    const history = await ask('GET', 'devices/a1/timeline?limit=1');

    expect(status).toBe(200);
    expect(body).toMatchObject({ serial: 'A1', timeline: [entry], timelineNextCursor: null });
    expect(history.body).toEqual({ items: [entry], nextCursor: null });
  });
});

describe('the export', () => {
  test('of serials alone is the format of Apple Business Manager', async () => {
    const { ask } = await withDevices();

    const { text, headers } = await ask('GET', 'devices.csv?columns=serial&presence=present');

    expect(text).toBe('A1\r\nB2\r\n');
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toContain('attachment');
  });

  test('takes the filters of the list', async () => {
    const { ask } = await withDevices();

    const { text } = await ask(
      'GET',
      `devices.csv?columns=serial&groupId=${groupId}&assignment=unassigned&presence=removed`,
    );

    expect(text).toBe('C3\r\n');
  });

  test('of no device has its head, and in the format of Apple nothing', async () => {
    const { ask } = await withDevices();

    expect((await ask('GET', 'devices.csv?q=nope&columns=serial,os')).text).toBe('serial,os\r\n');
    expect((await ask('GET', 'devices.csv?q=nope&columns=serial')).text).toBe('');
  });

  test('quotes by RFC 4180 and makes a text of what a spreadsheet would run', async () => {
    const { ask } = await withDevices();

    const { text } = await ask('GET', 'devices.csv?os=macos&columns=serial,description,assetTag');

    expect(text).toBe(
      'serial,description,assetTag\r\n' +
        `B2,"'=HYPERLINK(""http://x"",""y"")","Room 1, ""north""\r\nshelf"\r\n`,
    );
  });

  async function withEndlessDevices() {
    const started = await startApp();
    const stream = { read: 0, closed: false };
    started.devices.stream = async function* () {
      try {
        for (;;) {
          stream.read += 1;
          yield [aDevice({ serial: `S${stream.read}` })];
        }
      } finally {
        stream.closed = true;
      }
    };
    return { ...started, stream };
  }

  test('asked for by HEAD leaves no read open', async () => {
    const { ask, stream } = await withEndlessDevices();

    const { status, headers } = await ask('HEAD', 'devices.csv');

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(stream.closed).toBe(true);
  });

  test('is read as the client takes it, and ends when the client leaves', async () => {
    const { app, stream } = await withEndlessDevices();

    const answer = await app.request('/api/v1/devices.csv?columns=serial', {
      headers: { authorization: 'Bearer gmk_viewer_viewer_viewer_viewer' },
    });
    const reader = answer.body!.getReader();
    await reader.read();
    await reader.read();
    await reader.cancel();

    expect(stream.read).toBeLessThanOrEqual(4);
    expect(stream.closed).toBe(true);
  });

  test('that fails before its first row is a failure and not half a file', async () => {
    const { ask, devices } = await startApp();
    devices.stream = () => {
      throw Object.assign(new Error('secret'), { code: 'ECONNREFUSED' });
    };

    expect(await ask('GET', 'devices.csv')).toMatchObject({
      status: 503,
      body: { code: 'database_unavailable' },
    });
  });
});
