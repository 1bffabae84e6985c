import { isoSeconds } from '../clock.ts';

/** Numbers that are not a server: `Device.server` is one of these or an MDM server's number. */
export const UNASSIGNED = 0;
export const RELEASED = -1;

/**
 * What can change about a device. Never altered, only replaced, so that a log entry keeps what was true
 * when it was written, and half a million devices that were moved together share one object.
 * Times are seconds since 1970.
 */
export interface DeviceState {
  readonly server: number;
  readonly assignedAt: number | null;
  /** Apple writes `-1` for a default rule. */
  readonly assignedBy: string | null;
  readonly profileStatus: 'empty' | 'assigned' | 'pushed' | 'removed';
  readonly profileUuid: string | null;
  readonly profileAssignedAt: number | null;
  readonly profilePushedAt: number | null;
  /** Null: the one from the order. */
  readonly assetTag: string | null;
  readonly migrationDeadline: number | null;
  readonly isReplacement: boolean;
  readonly releasedByReplacement: boolean;
}

export const pristine: DeviceState = {
  server: UNASSIGNED,
  assignedAt: null,
  assignedBy: null,
  profileStatus: 'empty',
  profileUuid: null,
  profileAssignedAt: null,
  profilePushedAt: null,
  assetTag: null,
  migrationDeadline: null,
  isReplacement: false,
  releasedByReplacement: false,
};

/** A device that leaves its server loses everything that the server gave to it. */
export const withoutServer = {
  assignedAt: null,
  assignedBy: null,
  profileStatus: 'empty',
  profileUuid: null,
  profileAssignedAt: null,
  profilePushedAt: null,
  migrationDeadline: null,
} as const;

const rendered = new WeakMap<DeviceState, string>();

/** The JSON members that come from the state, each led by a comma. */
export function renderState(state: DeviceState, version: number): string {
  if (version < 10) return render(state, version);
  let text = rendered.get(state);
  if (text === undefined) {
    text = render(state, version);
    rendered.set(state, text);
  }
  return text;
}

function render(state: DeviceState, version: number): string {
  let text = `,"profile_status":"${state.profileStatus}"`;
  if (state.profileUuid !== null) text += `,"profile_uuid":"${state.profileUuid}"`;
  text += date('profile_assign_time', state.profileAssignedAt);
  text += date('profile_push_time', state.profilePushedAt);
  text += date('device_assigned_date', state.assignedAt);
  if (state.assignedBy !== null) {
    text += `,"device_assigned_by":${JSON.stringify(state.assignedBy)}`;
  }
  if (version >= 8) text += date('mdm_migration_deadline', state.migrationDeadline);
  if (version >= 10) text += `,"is_replacement_device":${String(state.isReplacement)}`;
  return text;
}

function date(key: string, seconds: number | null): string {
  return seconds === null ? '' : `,"${key}":"${isoSeconds(seconds)}"`;
}
