import type { DevicePage } from '../domain/ade.ts';
import type { Actor } from '../domain/audit.ts';
import type { AppleDevice, DeviceOperation } from '../domain/device.ts';
import type { Database } from '../db/client.ts';
import { newId } from '../db/new-id.ts';

export const testActor: Actor = {
  kind: 'api_key',
  id: '00000000-0000-7000-8000-000000000001',
  name: 'tests',
  requestId: 'request-1',
};

/** A device as Apple lists it in a full fetch; with `operation` as in a delta. */
export function appleDevice(overrides: Partial<AppleDevice> & { serial: string }): AppleDevice {
  return {
    os: 'ipados',
    family: 'iPad',
    model: 'IPAD 10TH GEN',
    description: 'IPAD 10TH GEN WI-FI 64GB SILVER-USA',
    color: 'SILVER',
    assetTag: null,
    assignedAt: '2026-01-01T00:00:00.000Z',
    assignedBy: 'admin@example.com',
    profileStatus: 'empty',
    profileUuid: null,
    profileAssignedAt: null,
    profilePushedAt: null,
    attributes: {},
    operation: null,
    ...overrides,
  };
}

/** A `deleted` entry with nothing but serial and operation. */
export function deletedDevice(serial: string, at: string | null): AppleDevice {
  return appleDevice({
    serial,
    os: 'unknown',
    family: null,
    model: null,
    description: null,
    color: null,
    assignedAt: null,
    assignedBy: null,
    profileStatus: null,
    operation: { type: 'deleted', at },
  });
}

export function operation(type: DeviceOperation['type'], at: string | null): DeviceOperation {
  return { type, at };
}

export function devicePage(
  devices: AppleDevice[],
  cursor: string,
  moreToFollow = false,
): DevicePage {
  return { devices, cursor, fetchedUntil: null, moreToFollow };
}

/** An integration whose token Apple accepts, without secrets: what a walk needs. */
export async function insertIntegration(
  { sql }: Pick<Database, 'sql'>,
  overrides: Record<string, unknown> = {},
): Promise<string> {
  const now = new Date('2026-01-01T00:00:00Z');
  const row = {
    id: newId(),
    name: 'Test School',
    page_size: 1000,
    token_state: 'valid',
    token_expires_at: new Date('2099-01-01T00:00:00Z'),
    token_uploaded_at: now,
    created_at: now,
    updated_at: now,
    ...overrides,
  };
  await sql`insert into integrations ${sql({ ...row, notify_emails: '{}' })}`;
  await sql`insert into sync_positions (integration_id) values (${row.id})`;
  return row.id;
}
