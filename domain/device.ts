import type { Page, PageQuery } from './page.ts';

export const deviceOperatingSystems = [
  'ios',
  'ipados',
  'macos',
  'tvos',
  'visionos',
  'watchos',
  'unknown',
] as const;
export type DeviceOs = (typeof deviceOperatingSystems)[number];

/** `staged`: known to us by a bulk assignment, not yet given to us by Apple. */
export type Presence = 'present' | 'removed' | 'staged';

export const assignmentStates = [
  'unassigned',
  'pending',
  'assigned',
  'pushed',
  'failed',
  'throttled',
] as const;
export type AssignmentState = (typeof assignmentStates)[number];

export const enrollmentStates = [
  'not_enrolled',
  'enrolling',
  'awaiting_configuration',
  'enrolled',
  'unenrolled',
  'failed',
] as const;
export type EnrollmentState = (typeof enrollmentStates)[number];

/** What Apple says of the profile on a device. `null`: Apple said nothing that we know. */
export type AppleProfileStatus = 'empty' | 'assigned' | 'pushed' | 'removed';

/** Facts that Apple sends only in newer protocol versions and that nothing sorts or filters by. */
export interface DeviceAttributes {
  imei?: string[];
  meid?: string[];
  eid?: string;
  wifiMacAddress?: string;
  bluetoothMacAddress?: string;
  ethernetMacAddress?: string;
  mdmMigrationDeadline?: string;
  isReplacementDevice?: boolean;
  releasedByReplacement?: boolean;
}

/** What a sync entry says happened. A full fetch carries none. */
export interface DeviceOperation {
  type: 'added' | 'modified' | 'deleted';
  /** ISO 8601 UTC; null when Apple left it out. */
  at: string | null;
}

/**
 * One entry of Apple's list in our words. Times are ISO 8601 UTC, serials upper-cased and trimmed.
 * A `deleted` entry may carry nothing but serial and operation: its other fields are then null and
 * must not overwrite what is stored.
 */
export interface AppleDevice {
  serial: string;
  os: DeviceOs;
  /** Apple's `device_family` as sent: `iPad`, `iPhone`, `iPod`, `Mac`, `AppleTV`, `Vision`, …  */
  family: string | null;
  model: string | null;
  description: string | null;
  color: string | null;
  assetTag: string | null;
  /** When and by whom the device was assigned to this server in ABM. `-1` (by rule or API) becomes null. */
  assignedAt: string | null;
  assignedBy: string | null;
  profileStatus: AppleProfileStatus | null;
  profileUuid: string | null;
  profileAssignedAt: string | null;
  profilePushedAt: string | null;
  attributes: DeviceAttributes;
  operation: DeviceOperation | null;
}

/** The form in which a serial is stored and compared. */
export function normalizeSerial(input: string): string {
  return input.trim().toUpperCase();
}

/** A device as the API shows it. Times are ISO 8601 UTC. */
export interface Device {
  serial: string;
  integrationId: string;
  os: DeviceOs;
  family: string | null;
  model: string | null;
  description: string | null;
  color: string | null;
  assetTag: string | null;
  assignedAt: string | null;
  assignedBy: string | null;
  presence: Presence;
  removedAt: string | null;
  profile: { id: string; name: string; source: 'device' | 'group' | 'os_default' } | null;
  assignment: {
    state: AssignmentState;
    appleProfileUuid: string | null;
    /** Apple's own word, as last synced. */
    appleStatus: AppleProfileStatus | null;
    error: string | null;
    nextAttemptAt: string | null;
    attempts: number;
  };
  enrollment: { state: EnrollmentState; enrolledAt: string | null };
  groups: { id: string; name: string }[];
  attributes: DeviceAttributes;
  firstSeenAt: string;
  updatedAt: string;
}

/** One line of a device's history. */
export interface TimelineEntry {
  id: string;
  at: string;
  kind: 'added' | 'modified' | 'removed' | 'returned' | 'moved';
  runId: string | null;
  /** What changed: `{field: {from, to}}`; for a move the two integrations. */
  changes: Record<string, { from: unknown; to: unknown }>;
}

export interface DeviceFilter {
  integrationId?: string;
  os?: DeviceOs;
  family?: string;
  presence?: Presence;
  assignment?: AssignmentState;
  enrollment?: EnrollmentState;
  /** Of the profile that is resolved for a device, whatever its source. */
  profileId?: string;
  /** Of a group that a device is a member of. */
  groupId?: string;
  /** A serial whole or its beginning, an asset tag, words of the description; case does not matter. */
  q?: string;
}

export interface DeviceStore {
  /** By serial. */
  list(filter: DeviceFilter, query: PageQuery): Promise<Page<Device>>;
  /**
   * The same in the same order, in chunks, with flat memory. Not one moment: no device comes twice and
   * none that meets the filter throughout is missed, but each chunk is as new as its reading. Between
   * chunks nothing is held.
   */
  stream(filter: DeviceFilter): AsyncIterable<Device[]>;
  find(serial: string): Promise<Device | undefined>;
  /** Newest first; the first sight of the device is its last entry. */
  timeline(serial: string, query: PageQuery): Promise<Page<TimelineEntry>>;
}
