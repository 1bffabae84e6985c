import { expect } from 'vitest';
import type { WireDevice } from '../../apple/ade/wire.ts';
import type { Device } from '../../domain/device.ts';
import type { Connected } from './connect.ts';
import type { Stack } from './stack.ts';

/** Postgres, read over the API, holds exactly what Apple would list for the server. */
export async function expectTruth(
  { api, apple }: Pick<Stack, 'api' | 'apple'>,
  { integrationId, server }: Connected,
): Promise<void> {
  const ours = await api.all<Device>(
    `/api/v1/devices?integrationId=${integrationId}&presence=present`,
  );
  const theirs = await apple.truth(server);
  const bySerial = (a: { serial: string }, b: { serial: string }) =>
    a.serial < b.serial ? -1 : a.serial > b.serial ? 1 : 0;
  expect(ours.map(factsOf).sort(bySerial)).toEqual(theirs.map(factsOfWire).sort(bySerial));
}

interface Facts {
  serial: string;
  model: string | null;
  description: string | null;
  color: string | null;
  assetTag: string | null;
  family: string | null;
  appleStatus: string | null;
  profileUuid: string | null;
  assignedAt: string | null;
}

function factsOf(device: Device): Facts {
  const { serial, model, description, color, family } = device;
  return {
    ...{ serial, model, description, color, family },
    assetTag: orNull(device.assetTag),
    appleStatus: device.assignment.appleStatus ?? 'empty',
    profileUuid: device.assignment.appleProfileUuid,
    assignedAt: instant(device.assignedAt),
  };
}

function factsOfWire(device: WireDevice): Facts {
  return {
    serial: device.serial_number,
    model: orNull(device.model),
    description: orNull(device.description),
    color: orNull(device.color),
    assetTag: orNull(device.asset_tag),
    family: orNull(device.device_family),
    appleStatus: orNull(device.profile_status) ?? 'empty',
    profileUuid: orNull(device.profile_uuid),
    assignedAt: instant(device.device_assigned_date),
  };
}

function orNull(value: string | null | undefined): string | null {
  return value === undefined || value === '' ? null : value;
}

function instant(value: string | null | undefined): string | null {
  return value === undefined || value === null || value === ''
    ? null
    : new Date(value).toISOString();
}
