import type { DevicePage, PageRequest, SerialStatus } from '../../domain/ade.ts';
import {
  normalizeSerial,
  type AppleDevice,
  type AppleProfileStatus,
  type DeviceAttributes,
  type DeviceOperation,
  type DeviceOs,
} from '../../domain/device.ts';
import type { AdeRequest } from './exchange.ts';
import { batchOf, readStatus } from './serials.ts';
import {
  isObject,
  readDate,
  readText,
  requireArray,
  requireBoolean,
  requireObject,
  requireText,
  ShapeError,
  type WireObject,
} from './shape.ts';
import type { WirePageRequest, WireSerials } from './wire.ts';

/**
 * A page of every device, `cursor` null for the first.
 * https://developer.apple.com/documentation/devicemanagement/fetch-devices
 */
export function fetchDevicesRequest(request: PageRequest): AdeRequest {
  return { endpoint: 'POST /server/devices', body: pageBody(request) };
}

/**
 * A page of changes since `cursor`.
 * https://developer.apple.com/documentation/devicemanagement/sync-devices
 */
export function syncDevicesRequest(request: PageRequest): AdeRequest {
  return { endpoint: 'POST /devices/sync', body: pageBody(request) };
}

/**
 * The reply of both. An entry without a serial makes the page a `bad_reply`: to leave it out would,
 * at the end of a full fetch, mark a device removed that Apple still lists.
 * https://developer.apple.com/documentation/devicemanagement/fetchdeviceresponse
 */
export function readDevicePageReply(body: unknown): DevicePage {
  const reply = requireObject(body, 'the body');
  const cursor = requireText(reply['cursor'], 'cursor');
  if (cursor.length > 1000) throw new ShapeError('cursor', 'at most 1000 characters long');
  const entries = requireArray(reply['devices'], 'devices');
  return {
    cursor,
    devices: entries.map((entry, at) => {
      if (!isObject(entry)) throw new ShapeError(`devices.${at}`, 'an object');
      const serial = readSerial(entry['serial_number']);
      if (serial === null) throw new ShapeError(`devices.${at}.serial_number`, 'a serial number');
      return readDevice(serial, entry);
    }),
    fetchedUntil: readDate(reply['fetched_until']),
    moreToFollow: requireBoolean(reply['more_to_follow'], 'more_to_follow'),
  };
}

/** https://developer.apple.com/documentation/devicemanagement/device-details */
export function deviceDetailsRequest(serials: readonly string[]): AdeRequest {
  return { endpoint: 'POST /devices', body: { devices: [...serials] } satisfies WireSerials };
}

export type DeviceDetails = Map<string, { status: SerialStatus; device: AppleDevice | null }>;

/** A serial that Apple left out is `FAILED`: not an answer, so not a reason to think it gone. */
export function readDeviceDetailsReply(body: unknown, asked: readonly string[]): DeviceDetails {
  const devices = requireObject(requireObject(body, 'the body')['devices'], 'devices');
  const details: DeviceDetails = new Map(
    batchOf(asked).map((serial) => [serial, { status: 'FAILED', device: null }]),
  );
  for (const [key, entry] of Object.entries(devices)) {
    const serial = normalizeSerial(key);
    if (!details.has(serial) || !isObject(entry)) continue;
    // Apple's schema does not know response_status; without it, a described device is a success.
    const said = entry['response_status'] ?? (readText(entry['model']) === null ? null : 'SUCCESS');
    const status = readStatus(said);
    details.set(serial, {
      status,
      device: status === 'SUCCESS' ? readDevice(serial, entry) : null,
    });
  }
  return details;
}

function pageBody({ cursor, limit }: PageRequest): WirePageRequest {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new TypeError(`a page has 1 to 1000 devices, not ${limit}`);
  // Always with a limit: Apple's pages and its /account disagree about the default.
  return cursor === null ? { limit } : { cursor, limit };
}

function readSerial(value: unknown): string | null {
  const text = readText(value);
  const serial = text === null ? '' : normalizeSerial(text);
  return serial === '' ? null : serial;
}

/** https://developer.apple.com/documentation/devicemanagement/device */
function readDevice(serial: string, entry: WireObject): AppleDevice {
  const family = readText(entry['device_family']);
  return {
    serial,
    os: readOs(entry['os'], family),
    family,
    model: readText(entry['model']),
    description: readText(entry['description']),
    color: readText(entry['color']),
    assetTag: readText(entry['asset_tag']),
    assignedAt: readDate(entry['device_assigned_date']),
    assignedBy: readAssigner(entry['device_assigned_by']),
    profileStatus: profileStatuses.get(entry['profile_status']) ?? null,
    profileUuid: readText(entry['profile_uuid']),
    profileAssignedAt: readDate(entry['profile_assign_time']),
    profilePushedAt: readDate(entry['profile_push_time']),
    attributes: readAttributes(entry),
    operation: readOperation(entry['op_type'], entry['op_date']),
  };
}

const profileStatuses = new Map<unknown, AppleProfileStatus>([
  ['empty', 'empty'],
  ['assigned', 'assigned'],
  ['pushed', 'pushed'],
  ['removed', 'removed'],
]);

const osByName = new Map<string, DeviceOs>([
  ['ios', 'ios'],
  ['ipados', 'ipados'],
  ['osx', 'macos'],
  ['macos', 'macos'],
  ['tvos', 'tvos'],
  ['visionos', 'visionos'],
  ['watchos', 'watchos'],
]);

const osByFamily = new Map<string, DeviceOs>([
  ['iPad', 'ipados'],
  ['iPhone', 'ios'],
  ['iPod', 'ios'],
  ['Mac', 'macos'],
  ['AppleTV', 'tvos'],
  ['Vision', 'visionos'],
  ['Watch', 'watchos'],
]);

/** Before protocol version 7 an iPad says iOS, and a deleted entry may say nothing. */
function readOs(value: unknown, family: string | null): DeviceOs {
  const named = typeof value === 'string' ? osByName.get(value.toLowerCase()) : undefined;
  if (named === 'ios' && family === 'iPad') return 'ipados';
  return named ?? (family === null ? undefined : osByFamily.get(family)) ?? 'unknown';
}

/** Observed: `-1` where a default rule or the API assigned the device. */
function readAssigner(value: unknown): string | null {
  const text = readText(value);
  return text === '-1' ? null : text;
}

/**
 * An operation of a kind that we do not know counts as `modified`: its facts are told, and nothing is
 * taken away on the strength of a new word.
 */
function readOperation(type: unknown, date: unknown): DeviceOperation | null {
  const word = readText(type);
  const at = readDate(date);
  if (word === null) return at === null ? null : { type: 'modified', at };
  const known = word.toLowerCase();
  return { type: known === 'added' || known === 'deleted' ? known : 'modified', at };
}

function readAttributes(entry: WireObject): DeviceAttributes {
  const attributes: DeviceAttributes = {};
  const imei = readTexts(entry['imei']);
  if (imei !== null) attributes.imei = imei;
  const meid = readTexts(entry['meid']);
  if (meid !== null) attributes.meid = meid;
  const eid = readText(entry['eid']);
  if (eid !== null) attributes.eid = eid;
  const wifi = readText(entry['wifi_mac_address']);
  if (wifi !== null) attributes.wifiMacAddress = wifi;
  const bluetooth = readText(entry['bluetooth_mac_address']);
  if (bluetooth !== null) attributes.bluetoothMacAddress = bluetooth;
  const ethernet = readText(entry['ethernet_mac_address']);
  if (ethernet !== null) attributes.ethernetMacAddress = ethernet;
  const deadline = readDate(entry['mdm_migration_deadline']);
  if (deadline !== null) attributes.mdmMigrationDeadline = deadline;
  const isReplacement = entry['is_replacement_device'];
  if (typeof isReplacement === 'boolean') attributes.isReplacementDevice = isReplacement;
  const isReleased = entry['released_by_replacement'];
  if (typeof isReleased === 'boolean') attributes.releasedByReplacement = isReleased;
  return attributes;
}

/** A list, or the single text that Apple's other services send for the same field. */
function readTexts(value: unknown): string[] | null {
  const list = Array.isArray(value) ? value : [value];
  const texts = list.map(readText).filter((text) => text !== null);
  return texts.length === 0 ? null : texts;
}
