import type { Device, DeviceAttributes, TimelineEntry } from '../../domain/device.ts';

export interface DeviceColumns {
  serial: string;
  integration_id: string;
  presence: Device['presence'];
  assignment_state: Device['assignment']['state'];
  enrollment_state: Device['enrollment']['state'];
  os: Device['os'];
  family: string;
  model: string | null;
  description: string | null;
  color: string | null;
  asset_tag: string | null;
  assigned_at: Date | null;
  assigned_by: string | null;
  profile_status: Device['assignment']['appleStatus'];
  profile_uuid: string | null;
  attributes: DeviceAttributes;
  assignment_error: string | null;
  assignment_next_at: Date | null;
  assignment_attempts: number;
  enrolled_at: Date | null;
  removed_at: Date | null;
  first_seen_at: Date;
  first_run_id: string | null;
  updated_at: Date;
}

export function toDevice(row: DeviceColumns): Device {
  return {
    serial: row.serial,
    integrationId: row.integration_id,
    os: row.os,
    family: row.family === '' ? null : row.family,
    model: row.model,
    description: row.description,
    color: row.color,
    assetTag: row.asset_tag,
    assignedAt: row.assigned_at?.toISOString() ?? null,
    assignedBy: row.assigned_by,
    presence: row.presence,
    removedAt: row.removed_at?.toISOString() ?? null,
    profile: null,
    assignment: {
      state: row.assignment_state,
      appleProfileUuid: row.profile_uuid,
      appleStatus: row.profile_status,
      error: row.assignment_error,
      nextAttemptAt: row.assignment_next_at?.toISOString() ?? null,
      attempts: row.assignment_attempts,
    },
    enrollment: {
      state: row.enrollment_state,
      enrolledAt: row.enrolled_at?.toISOString() ?? null,
    },
    groups: [],
    attributes: row.attributes,
    firstSeenAt: row.first_seen_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

export interface DeviceEventColumns {
  id: string;
  at: Date;
  kind: TimelineEntry['kind'];
  run_id: string | null;
  changes: TimelineEntry['changes'];
}

export function toTimelineEntry(row: DeviceEventColumns): TimelineEntry {
  return {
    id: row.id,
    at: row.at.toISOString(),
    kind: row.kind,
    runId: row.run_id,
    changes: row.changes,
  };
}
