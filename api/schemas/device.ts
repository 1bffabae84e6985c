import { z } from '@hono/zod-openapi';
import { assignmentStates, deviceOperatingSystems, enrollmentStates } from '../../domain/device.ts';
import { cursor, limit, line, nullableTime, time } from './common.ts';

const text = z.string().nullable();
const presences = ['present', 'removed', 'staged'] as const;

export const deviceSchema = z
  .object({
    serial: z.string(),
    integrationId: z.guid(),
    os: z.enum(deviceOperatingSystems),
    family: text,
    model: text,
    description: text,
    color: text,
    assetTag: text,
    assignedAt: nullableTime.openapi({ description: 'To this server, in Apple Business Manager' }),
    assignedBy: text,
    presence: z.enum(presences),
    removedAt: nullableTime,
    profile: z
      .object({
        id: z.string(),
        name: z.string(),
        source: z.enum(['device', 'group', 'os_default']),
      })
      .nullable(),
    assignment: z.object({
      state: z.enum(assignmentStates),
      appleProfileUuid: text,
      appleStatus: z.enum(['empty', 'assigned', 'pushed', 'removed']).nullable(),
      error: text,
      nextAttemptAt: nullableTime,
      attempts: z.int(),
    }),
    enrollment: z.object({ state: z.enum(enrollmentStates), enrolledAt: nullableTime }),
    groups: z.array(z.object({ id: z.string(), name: z.string() })),
    attributes: z.object({
      imei: z.array(z.string()).optional(),
      meid: z.array(z.string()).optional(),
      eid: z.string().optional(),
      wifiMacAddress: z.string().optional(),
      bluetoothMacAddress: z.string().optional(),
      ethernetMacAddress: z.string().optional(),
      mdmMigrationDeadline: z.string().optional(),
      isReplacementDevice: z.boolean().optional(),
      releasedByReplacement: z.boolean().optional(),
    }),
    firstSeenAt: time,
    updatedAt: time,
  })
  .openapi('Device');

export const timelineEntrySchema = z
  .object({
    id: z.string(),
    at: time,
    kind: z.enum(['added', 'modified', 'removed', 'returned', 'moved']),
    runId: z.string().nullable(),
    changes: z.record(z.string(), z.object({ from: z.unknown(), to: z.unknown() })),
  })
  .openapi('TimelineEntry');

export const deviceDetailSchema = deviceSchema
  .extend({
    timeline: z.array(timelineEntrySchema).openapi({ description: 'Newest first' }),
    timelineNextCursor: z
      .string()
      .nullable()
      .openapi({ description: 'For `GET /devices/{serial}/timeline`; null: that was all' }),
  })
  .openapi('DeviceDetail');

export const deviceFilters = {
  integrationId: z.guid().optional(),
  os: z.enum(deviceOperatingSystems).optional(),
  family: line(100)
    .min(1)
    .optional()
    .openapi({ description: 'As Apple says it: iPad, iPhone, Mac, …', example: 'iPad' }),
  presence: z.enum(presences).optional(),
  assignment: z
    .enum(assignmentStates)
    .optional()
    .openapi({ description: '`unassigned` is the Unassigned list' }),
  enrollment: z.enum(enrollmentStates).optional(),
  profileId: z
    .guid()
    .optional()
    .openapi({ description: 'Of the profile that a device resolves to' }),
  groupId: z.guid().optional().openapi({ description: 'Of a group that a device is in' }),
  q: line(200)
    .min(1)
    .optional()
    .openapi({ description: 'A serial or its beginning, an asset tag, words of the description' }),
};

export const deviceListQuery = z.strictObject({ ...deviceFilters, limit, cursor });
