import { DomainError } from '../../domain/errors.ts';
import type { ApiDeps } from '../deps.ts';
import { given } from '../given.ts';
import { answers, apiRoute } from '../route.ts';
import { pageOf, pageQuery, serialParams } from '../schemas/common.ts';
import {
  deviceDetailSchema,
  deviceListQuery,
  deviceSchema,
  timelineEntrySchema,
} from '../schemas/device.ts';
import { newRouter } from './router.ts';

const tags = ['Devices'];
const timelineWithDevice = 100;

/** The devices that Apple assigns to us, from all integrations. */
export function deviceRoutes({ devices }: ApiDeps) {
  const list = apiRoute({ role: 'viewer' }, {
    method: 'get',
    path: '/devices',
    operationId: 'listDevices',
    summary: 'List devices, by serial',
    tags,
    request: { query: deviceListQuery },
    responses: { 200: answers('A page of devices', pageOf(deviceSchema)) },
  } as const);
  const show = apiRoute({ role: 'viewer', errors: ['not_found'] }, {
    method: 'get',
    path: '/devices/{serial}',
    operationId: 'getDevice',
    summary: 'Show a device and its history',
    tags,
    request: { params: serialParams },
    responses: { 200: answers('The device', deviceDetailSchema) },
  } as const);
  const history = apiRoute({ role: 'viewer', errors: ['not_found'] }, {
    method: 'get',
    path: '/devices/{serial}/timeline',
    operationId: 'listDeviceTimeline',
    summary: 'The whole history of a device, newest first',
    tags,
    request: { params: serialParams, query: pageQuery },
    responses: { 200: answers('A page of its history', pageOf(timelineEntrySchema)) },
  } as const);

  const get = async (serial: string) => {
    const device = await devices.find(serial);
    if (device !== undefined) return device;
    throw new DomainError(
      'not_found',
      `No device with the serial ${serial} has been seen. If it is new in Apple Business Manager, sync now.`,
    );
  };

  return newRouter()
    .openapi(list, async (c) => {
      const { limit, cursor = null, ...filter } = c.req.valid('query');

      return c.json(await devices.list(given(filter), { limit, cursor }), 200);
    })
    .openapi(show, async (c) => {
      const { serial } = c.req.valid('param');

      const device = await get(serial);
      const timeline = await devices.timeline(serial, { limit: timelineWithDevice, cursor: null });

      return c.json(
        { ...device, timeline: timeline.items, timelineNextCursor: timeline.nextCursor },
        200,
      );
    })
    .openapi(history, async (c) => {
      const { serial } = c.req.valid('param');
      const { limit, cursor = null } = c.req.valid('query');

      await get(serial);
      return c.json(await devices.timeline(serial, { limit, cursor }), 200);
    });
}
