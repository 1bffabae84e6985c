import { describe, expect, test } from 'vitest';
import {
  fetchDevicesRequest,
  readDeviceDetailsReply,
  readDevicePageReply,
  syncDevicesRequest,
} from './devices.ts';
import type { WireDevice, WireDeviceDetails, WireDevicePage } from './wire.ts';

const device: Required<WireDevice> = {
  serial_number: ' c02abc123def ',
  model: 'iPad Pro 11"',
  description: 'IPAD PRO 11 WI-FI 128GB',
  color: 'SILVER',
  asset_tag: 'SALES-7',
  profile_status: 'pushed',
  profile_uuid: '88FC4E378FEFEC29F7B2BA6C3F6B2B6A',
  profile_assign_time: '2026-02-01T10:00:00Z',
  profile_push_time: '2026-02-02T10:00:00Z',
  device_assigned_date: '2026-01-31T09:30:00Z',
  device_assigned_by: 'ada@example.com',
  os: 'iPadOS',
  device_family: 'iPad',
  mdm_migration_deadline: '2026-06-01T00:00:00Z',
  op_type: 'modified',
  op_date: '2026-02-02T10:00:01Z',
  response_status: 'SUCCESS',
  bluetooth_mac_address: 'A4:83:E7:00:00:01',
  ethernet_mac_address: 'A4:83:E7:00:00:02',
  wifi_mac_address: 'A4:83:E7:00:00:03',
  eid: '89049032',
  imei: ['356789012345678'],
  meid: ['35678901234567'],
  is_replacement_device: true,
  released_by_replacement: false,
};
const page: WireDevicePage = {
  cursor: 'MDowOjE3MDA=',
  devices: [device],
  fetched_until: '2026-02-03T00:00:00Z',
  more_to_follow: false,
};
const readOne = (changes: Record<string, unknown>) => {
  const entry = { serial_number: 'C02ABC123DEF', ...changes };
  const [read] = readDevicePageReply({ ...page, devices: [entry] }).devices;
  if (read === undefined) throw new Error('no device was read');
  return read;
};

describe('a page', () => {
  test('is read into our words', () => {
    expect(readDevicePageReply(page)).toEqual({
      cursor: 'MDowOjE3MDA=',
      fetchedUntil: '2026-02-03T00:00:00Z',
      moreToFollow: false,
      devices: [
        {
          serial: 'C02ABC123DEF',
          os: 'ipados',
          family: 'iPad',
          model: 'iPad Pro 11"',
          description: 'IPAD PRO 11 WI-FI 128GB',
          color: 'SILVER',
          assetTag: 'SALES-7',
          assignedAt: '2026-01-31T09:30:00Z',
          assignedBy: 'ada@example.com',
          profileStatus: 'pushed',
          profileUuid: '88FC4E378FEFEC29F7B2BA6C3F6B2B6A',
          profileAssignedAt: '2026-02-01T10:00:00Z',
          profilePushedAt: '2026-02-02T10:00:00Z',
          attributes: {
            imei: ['356789012345678'],
            meid: ['35678901234567'],
            eid: '89049032',
            wifiMacAddress: 'A4:83:E7:00:00:03',
            bluetoothMacAddress: 'A4:83:E7:00:00:01',
            ethernetMacAddress: 'A4:83:E7:00:00:02',
            mdmMigrationDeadline: '2026-06-01T00:00:00Z',
            isReplacementDevice: true,
            releasedByReplacement: false,
          },
          operation: { type: 'modified', at: '2026-02-02T10:00:01Z' },
        },
      ],
    });
  });

  test.each([
    ['cursor', undefined],
    ['cursor', ''],
    ['cursor', 7],
    ['cursor', 'x'.repeat(1001)],
    ['devices', undefined],
    // An empty list by another name would, at the end of a full fetch, empty the fleet.
    ['devices', null],
    ['devices', {}],
    ['more_to_follow', undefined],
    ['more_to_follow', 'true'],
  ])('with %s %j is refused, naming the field', (field, value) => {
    expect(() => readDevicePageReply({ ...page, [field]: value })).toThrow(
      expect.objectContaining({ name: 'ShapeError', field }),
    );
  });

  test.each([undefined, null, '', '  ', 12, {}])(
    'with the serial %j is refused whole',
    (serial) => {
      const entry = { ...device, serial_number: serial };
      expect(() => readDevicePageReply({ ...page, devices: [device, entry] })).toThrow(
        expect.objectContaining({ field: 'devices.1.serial_number' }),
      );
    },
  );

  test.each([null, 'C02', []])('with the entry %j is refused whole', (entry) => {
    expect(() => readDevicePageReply({ ...page, devices: [entry] })).toThrow(
      expect.objectContaining({ field: 'devices.0' }),
    );
  });

  test.each([null, 'text', [], 7])('that is %j is refused', (body) => {
    expect(() => readDevicePageReply(body)).toThrow(expect.objectContaining({ field: 'the body' }));
  });

  test('may leave out when it was fetched, and hold fields of next year', () => {
    const { devices, fetchedUntil } = readDevicePageReply({
      ...page,
      fetched_until: undefined,
      devices: [{ ...device, new_field: { deep: [1] } }],
      generated_by: 'x',
    });
    expect(fetchedUntil).toBeNull();
    expect(devices).toHaveLength(1);
  });
});

describe('a device', () => {
  const bare = {
    serial: 'C02ABC123DEF',
    os: 'unknown',
    family: null,
    model: null,
    description: null,
    color: null,
    assetTag: null,
    assignedAt: null,
    assignedBy: null,
    profileStatus: null,
    profileUuid: null,
    profileAssignedAt: null,
    profilePushedAt: null,
    attributes: {},
    operation: null,
  };

  test.each([undefined, null, '', 7, {}])('may have every other field be %j', (value) => {
    const fields = Object.keys(device).filter((name) => name !== 'serial_number');
    expect(readOne(Object.fromEntries(fields.map((name) => [name, value])))).toEqual(bare);
  });

  test.each([
    ['iOS', 'iPad', 'ipados'],
    ['iOS', 'iPhone', 'ios'],
    ['iOS', 'iPod', 'ios'],
    ['iOS', null, 'ios'],
    ['iPadOS', 'iPad', 'ipados'],
    ['OSX', 'Mac', 'macos'],
    ['macOS', null, 'macos'],
    ['tvOS', 'AppleTV', 'tvos'],
    ['visionOS', 'Vision', 'visionos'],
    ['watchOS', 'Watch', 'watchos'],
    [null, 'iPad', 'ipados'],
    [null, 'iPhone', 'ios'],
    ['', 'Mac', 'macos'],
    ['newOS', 'AppleTV', 'tvos'],
    ['newOS', 'Vision', 'visionos'],
    ['newOS', 'Toaster', 'unknown'],
    [null, null, 'unknown'],
  ])('of os %j and family %j is %s', (os, family, expected) => {
    expect(readOne({ os, device_family: family }).os).toBe(expected);
  });

  test.each([
    ['2026-01-31T09:30:00Z', '2026-01-31T09:30:00Z'],
    ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59Z'],
    ['2026-01-31T09:30:00.000Z', '2026-01-31T09:30:00Z'],
    ['2026-01-31T09:30:00.250Z', '2026-01-31T09:30:00.250Z'],
    ['2026-01-31T09:30:00+02:00', '2026-01-31T07:30:00Z'],
    ['0001-01-01T00:00:00Z', null],
    ['1970-01-01T00:00:00Z', null],
    ['0001-01-01T00:00:00+00:00', null],
    ['2026-02-29T00:00:00Z', null],
    ['2026-04-31T00:00:00Z', null],
    ['2026-13-01T00:00:00Z', null],
    ['2026-00-01T00:00:00Z', null],
    ['2026-01-00T00:00:00Z', null],
    ['2026-01-01T24:00:00Z', null],
    ['2026-01-01T23:60:00Z', null],
    ['2026-01-01T09:30:00', null],
    ['yesterday', null],
    [1_700_000_000, null],
  ])('reads the date %j as %j', (given, expected) => {
    expect(readOne({ device_assigned_date: given }).assignedAt).toBe(expected);
  });

  test.each([
    ['added', 'added'],
    ['modified', 'modified'],
    ['deleted', 'deleted'],
    ['DELETED', 'deleted'],
    ['released_somehow', 'modified'],
  ])('says %j: %s', (type, expected) => {
    const { operation } = readOne({ op_type: type, op_date: '2026-02-02T10:00:01Z' });
    expect(operation).toEqual({ type: expected, at: '2026-02-02T10:00:01Z' });
  });

  test('that was deleted needs nothing but its serial', () => {
    const entry = { op_type: 'deleted', op_date: '2026-02-02T10:00:01Z' };
    const operation = { type: 'deleted', at: '2026-02-02T10:00:01Z' };
    expect(readOne(entry)).toEqual({ ...bare, operation });
  });

  test('was assigned by nobody in particular when Apple says -1', () => {
    expect(readOne({ device_assigned_by: '-1' }).assignedBy).toBeNull();
  });

  test.each(['half_assigned', '', null])('has no profile status that we know: %j', (status) => {
    expect(readOne({ profile_status: status }).profileStatus).toBeNull();
  });

  test('keeps no character that a text column refuses', () => {
    expect(readOne({ asset_tag: 'A\u0000B', color: '\u0000' })).toMatchObject({
      assetTag: 'AB',
      color: null,
    });
  });

  test('may give a single IMEI without a list, and lists with holes', () => {
    expect(readOne({ imei: '35', meid: ['1', null, ''] }).attributes).toEqual({
      imei: ['35'],
      meid: ['1'],
    });
  });
});

describe('a page is asked for', () => {
  test('always with a limit, and without a cursor at the start', () => {
    expect(fetchDevicesRequest({ cursor: null, limit: 1000 })).toEqual({
      endpoint: 'POST /server/devices',
      body: { limit: 1000 },
    });
    expect(syncDevicesRequest({ cursor: 'MDow+/=', limit: 1 })).toEqual({
      endpoint: 'POST /devices/sync',
      body: { cursor: 'MDow+/=', limit: 1 },
    });
  });

  test.each([0, 1001, 1.5, Number.NaN])('never with the limit %d', (limit) => {
    expect(() => fetchDevicesRequest({ cursor: null, limit })).toThrow(TypeError);
  });
});

describe('details', () => {
  const asked = ['A1', 'B2', 'C3', 'D4'];

  test('are given by serial; what Apple leaves out has failed', () => {
    const reply: WireDeviceDetails = {
      devices: {
        a1: { serial_number: 'A1', response_status: 'SUCCESS', model: 'Mac', os: 'OSX' },
        B2: { response_status: 'NOT_FOUND' },
        C3: { model: 'iPhone' },
        X9: { response_status: 'SUCCESS' },
      },
    };
    const details = readDeviceDetailsReply(reply, asked);
    expect([...details.keys()]).toEqual(asked);
    expect(details.get('A1')).toMatchObject({ status: 'SUCCESS', device: { serial: 'A1' } });
    expect(details.get('B2')).toEqual({ status: 'NOT_FOUND', device: null });
    expect(details.get('C3')).toMatchObject({ status: 'SUCCESS', device: { model: 'iPhone' } });
    expect(details.get('D4')).toEqual({ status: 'FAILED', device: null });
  });

  test.each([{}, { devices: null }, { devices: [] }, null])('are not %j', (body) => {
    expect(() => readDeviceDetailsReply(body, asked)).toThrow(
      expect.objectContaining({ name: 'ShapeError' }),
    );
  });
});
