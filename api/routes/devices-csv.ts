import { z } from '@hono/zod-openapi';
import type { Device, DeviceFilter } from '../../domain/device.ts';
import { csvRecord } from '../csv.ts';
import type { ApiDeps } from '../deps.ts';
import { given } from '../given.ts';
import { apiRoute } from '../route.ts';
import { deviceFilters } from '../schemas/device.ts';
import { newRouter } from './router.ts';

const columns = {
  serial: (device) => device.serial,
  integrationId: (device) => device.integrationId,
  os: (device) => device.os,
  family: (device) => device.family,
  model: (device) => device.model,
  description: (device) => device.description,
  color: (device) => device.color,
  assetTag: (device) => device.assetTag,
  presence: (device) => device.presence,
  assignedAt: (device) => device.assignedAt,
  assignedBy: (device) => device.assignedBy,
  profile: (device) => device.profile?.name ?? null,
  assignment: (device) => device.assignment.state,
  enrollment: (device) => device.enrollment.state,
  enrolledAt: (device) => device.enrollment.enrolledAt,
  firstSeenAt: (device) => device.firstSeenAt,
  updatedAt: (device) => device.updatedAt,
} as const satisfies Record<string, (device: Device) => string | null>;
type Column = keyof typeof columns;
const names = Object.keys(columns) as [Column, ...Column[]];

const query = z.strictObject({
  ...deviceFilters,
  columns: z
    .string()
    .max(500)
    .transform((value) => [...new Set(value.split(','))])
    .pipe(z.array(z.enum(names)).min(1))
    .optional()
    .openapi({
      type: 'string',
      description: `Which, comma separated, of: ${names.join(', ')}. \`serial\` alone is the format of Apple Business Manager: one serial a row, nothing else.`,
      example: 'serial',
    }),
});

/** The device list as a file, streamed as it is read. */
export function deviceCsvRoutes({ devices }: ApiDeps) {
  const download = apiRoute({ role: 'viewer' }, {
    method: 'get',
    path: '/devices.csv',
    operationId: 'exportDevices',
    summary: 'Export devices as CSV',
    description:
      'The filters of the device list. Values that look like a formula get a leading apostrophe.',
    tags: ['Devices'],
    request: { query },
    responses: {
      200: {
        description: 'RFC 4180, UTF-8',
        content: { 'text/csv': { schema: { type: 'string' as const } } },
      },
    },
  } as const);

  return newRouter().openapi(download, async (c) => {
    const { columns: chosen = names, ...filter } = c.req.valid('query');

    const lines = csvChunks(devices.stream(given(filter) satisfies DeviceFilter), chosen);
    // The first chunk is read before the answer begins, so that a failure is still a status.
    const first = await lines.next();
    const headers = {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="devices.csv"',
    };
    // Nobody will take the rows of a HEAD, so the read must not stay open for them.
    if (c.req.method === 'HEAD') {
      await lines.return(undefined);
      return c.body(null, 200, headers);
    }

    return c.body(streamOf(first, lines), 200, headers);
  });
}

async function* csvChunks(
  chunks: AsyncIterable<Device[]>,
  chosen: readonly Column[],
): AsyncGenerator<string> {
  const forApple = chosen.length === 1 && chosen[0] === 'serial';
  let head = forApple ? '' : csvRecord(chosen);
  for await (const devices of chunks) {
    yield (
      head +
      devices.map((device) => csvRecord(chosen.map((name) => columns[name](device)))).join('')
    );
    head = '';
  }
  if (head !== '') yield head;
}

/** Pulled by the client: nothing is read ahead, and a client that leaves ends the read. */
function streamOf(
  first: IteratorResult<string, unknown>,
  rest: AsyncGenerator<string>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next: IteratorResult<string, unknown> | null = first;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = next ?? (await rest.next());
        next = null;
        if (chunk.done === true) controller.close();
        else controller.enqueue(encoder.encode(chunk.value));
      },
      async cancel() {
        await rest.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
