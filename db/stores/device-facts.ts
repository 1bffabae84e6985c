import { createHash } from 'node:crypto';
import type { AppleDevice } from '../../domain/device.ts';

/**
 * What Apple says of a device, column by column: the SQL of a page, its parameters and the timeline
 * are all made from this list, so that none of them can forget one.
 */
export const deviceFacts = [
  { column: 'os', type: 'text', name: 'os', of: (device) => device.os },
  {
    column: 'family',
    type: 'text',
    name: 'family',
    of: (device) => shortened(device.family ?? '', 100),
  },
  { column: 'model', type: 'text', name: 'model', of: (device) => device.model },
  {
    column: 'description',
    type: 'text',
    name: 'description',
    of: (device) => shortened(device.description, 400),
  },
  { column: 'color', type: 'text', name: 'color', of: (device) => device.color },
  {
    column: 'asset_tag',
    type: 'text',
    name: 'assetTag',
    of: (device) => shortened(device.assetTag, 400),
  },
  { column: 'assigned_at', type: 'time', name: 'assignedAt', of: (device) => device.assignedAt },
  { column: 'assigned_by', type: 'text', name: 'assignedBy', of: (device) => device.assignedBy },
  {
    column: 'profile_status',
    type: 'text',
    name: 'profileStatus',
    of: (device) => device.profileStatus,
  },
  { column: 'profile_uuid', type: 'text', name: 'profileUuid', of: (device) => device.profileUuid },
  {
    column: 'profile_assigned_at',
    type: 'time',
    name: 'profileAssignedAt',
    of: (device) => device.profileAssignedAt,
  },
  {
    column: 'profile_pushed_at',
    type: 'time',
    name: 'profilePushedAt',
    of: (device) => device.profilePushedAt,
  },
  { column: 'attributes', type: 'json', name: 'attributes', of: attributesOf },
] as const satisfies readonly {
  column: string;
  type: 'text' | 'time' | 'json';
  /** The field in a timeline entry's `changes`. */
  name: keyof AppleDevice;
  of: (device: AppleDevice) => string | null;
}[];

/**
 * A text in an index has at most 2704 bytes with all its neighbours there, and one that is longer
 * would hold up the fleet. Apple's have some dozens; what is cut shows it.
 */
function shortened<T extends string | null>(text: T, length: number): T | string {
  return text === null || text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/**
 * A serial of more than 64 characters is none of Apple's (they have 8 to 17). It is kept, so that the
 * device is not lost from sight, as its beginning and a hash: cut alone, two could become one.
 */
export function storableSerial(serial: string): string {
  if (serial.length <= 64) return storable(serial);
  const hash = createHash('sha256').update(serial).digest('hex').slice(0, 16).toUpperCase();
  return storable(`${serial.slice(0, 47)}~${hash}`);
}

const unstorable = /\0|\p{Surrogate}/u;

/** PostgreSQL keeps no U+0000 in a text, and no half of a surrogate pair. */
export function storable(text: string): string {
  return unstorable.test(text) ? text.replaceAll(/\0|\p{Surrogate}/gu, '') : text;
}

function attributesOf(device: AppleDevice): string {
  return JSON.stringify(device.attributes, (_key, value: unknown) =>
    typeof value === 'string' ? storable(value) : value,
  );
}
