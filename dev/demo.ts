import { setTimeout as sleep } from 'node:timers/promises';
import { httpApi, type HttpApi } from './demo-http.ts';

export interface DemoOptions {
  /** Of the server, without a path. */
  serverUrl: string;
  adminKey: string;
  portalUrl: string;
  /** One step: what is done, how a person does it with curl, what came of it. */
  step: (title: string, curl: string | null, outcome: string) => void;
}

interface Integration {
  id: string;
  name: string;
  status: string;
  statusReason: string;
  counts: { devices: number };
}

interface Operation {
  id: string;
  state: string;
  error: { code: string; message: string } | null;
  run: { mode: string; pages: number; added: number; modified: number; removed: number };
}

interface PortalServer {
  uuid: string;
  name: string;
}

const name = 'Demo fleet';
const held = 10;

/**
 * The main job, over the public API and the simulated portal alone: connect by the token exchange,
 * sync, list; then something happens in the portal and the next sync brings it. What an earlier start
 * has done is not done again.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const api = httpApi(`${options.serverUrl}/api/v1`, {
    authorization: `Bearer ${options.adminKey}`,
  });
  const portal = httpApi(`${options.portalUrl}/portal/api`, {});
  const { items } = await api.json<{ items: Integration[] }>({ path: '/integrations' });
  const known = items.find((item) => item.name === name);

  if (known !== undefined && known.status !== 'awaiting_token') {
    options.step('The demo fleet is connected from an earlier start', null, summary(known));
    await syncNow(api, known.id, options);
    return;
  }
  const integration = known ?? (await create(api, options));
  await connect(api, portal, integration, options);
  await syncNow(api, integration.id, options);
  await list(api, integration.id, options);
  await changeSomething(portal, options);
  await syncNow(api, integration.id, options);
}

async function create(api: HttpApi, { step }: DemoOptions): Promise<Integration> {
  const made = await api.json<Integration>({
    method: 'POST',
    path: '/integrations',
    json: { name },
  });
  step(
    'Make an integration',
    `curl -sX POST $API/integrations -H "$AUTH" -H 'content-type: application/json' -d '{"name":"${name}"}'`,
    `${made.id}, status ${made.status}`,
  );
  return made;
}

async function connect(
  api: HttpApi,
  portal: HttpApi,
  { id }: Integration,
  { step }: DemoOptions,
): Promise<void> {
  const certificate = await api.text({ path: `/integrations/${id}/public-key` });
  step(
    'Fetch its certificate',
    `curl -s $API/integrations/${id}/public-key -H "$AUTH" -o guardmdm.pem`,
    'guardmdm.pem',
  );

  const server = await addServer(portal, certificate);
  step(
    'Upload it in the (simulated) Apple Business Manager',
    `curl -s "$ABM/servers?name=GuardMDM" --data-binary @guardmdm.pem`,
    `device management service ${server.uuid}`,
  );

  const { unassigned } = (
    await portal.json<{ items: { unassigned: number }[] }>({ path: '/organizations' })
  ).items[0] ?? { unassigned: 0 };
  const { done } = await portal.json<{ done: number }>({
    method: 'POST',
    path: `/servers/${server.uuid}/devices`,
    json: { count: Math.max(1, unassigned - held) },
  });
  step(
    'Assign devices to it there',
    `curl -s $ABM/servers/${server.uuid}/devices -H 'content-type: application/json' -d '{"count":${done}}'`,
    `${done} devices`,
  );

  const token = await portal.bytes({ method: 'POST', path: `/servers/${server.uuid}/token` });
  step(
    'Download the server token there',
    `curl -sX POST $ABM/servers/${server.uuid}/token -o token.p7m`,
    `token.p7m, ${token.length} bytes, encrypted for the certificate`,
  );

  const connected = await api.json<Integration>({
    method: 'PUT',
    path: `/integrations/${id}/server-token`,
    file: { type: 'application/pkcs7-mime', bytes: token },
  });
  step(
    'Upload the token',
    `curl -sX PUT $API/integrations/${id}/server-token -H "$AUTH" -H 'content-type: application/pkcs7-mime' --data-binary @token.p7m`,
    summary(connected),
  );
}

/** An interrupted demo may have left its service in the portal. */
async function addServer(portal: HttpApi, certificate: string): Promise<PortalServer> {
  const { items } = await portal.json<{ items: PortalServer[] }>({ path: '/servers' });
  const known = items.find((server) => server.name === 'GuardMDM');
  if (known === undefined) {
    return portal.json({
      method: 'POST',
      path: '/servers',
      json: { name: 'GuardMDM', certificate, defaultFor: 'all' },
    });
  }
  return portal.json({
    method: 'PUT',
    path: `/servers/${known.uuid}/certificate`,
    json: { certificate },
  });
}

async function syncNow(api: HttpApi, id: string, { step }: DemoOptions): Promise<void> {
  let { operation } = await api.json<{ operation: Operation }>({
    method: 'POST',
    path: `/integrations/${id}/sync?wait=60`,
    json: {},
  });
  while (['queued', 'running'].includes(operation.state)) {
    await sleep(500);
    operation = (await api.json<{ operation: Operation }>({ path: `/operations/${operation.id}` }))
      .operation;
  }
  const { run } = operation;
  step(
    'Sync now',
    `curl -sX POST "$API/integrations/${id}/sync?wait=60" -H "$AUTH"`,
    operation.error === null
      ? `${run.mode} sync ${operation.state}: ${run.added} added, ${run.modified} modified, ${run.removed} removed, ${run.pages} pages`
      : `${operation.state}: ${operation.error.message}`,
  );
}

async function list(api: HttpApi, id: string, { step }: DemoOptions): Promise<void> {
  const { items } = await api.json<{
    items: { serial: string; family: string; description: string }[];
  }>({ path: `/devices?integrationId=${id}&limit=3` });
  const shown = items.map(({ serial, description }) => `${serial} (${description})`).join(', ');
  step('List the devices', `curl -s "$API/devices?limit=3" -H "$AUTH"`, shown);
}

async function changeSomething(portal: HttpApi, { step }: DemoOptions): Promise<void> {
  const { items } = await portal.json<{ items: PortalServer[] }>({ path: '/servers' });
  const server = items.find((item) => item.name === 'GuardMDM');
  if (server === undefined) return;
  const { done } = await portal.json<{ done: number }>({
    method: 'POST',
    path: `/servers/${server.uuid}/devices`,
    json: { count: held / 2 },
  });
  step(
    'Assign some more devices in the portal',
    `curl -s $ABM/servers/${server.uuid}/devices -H 'content-type: application/json' -d '{"count":${held / 2}}'`,
    `${done} devices`,
  );
}

function summary({ status, statusReason, counts }: Integration): string {
  return `${status}, ${counts.devices} devices. ${statusReason}`;
}
