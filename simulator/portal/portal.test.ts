import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createSimulator, type Simulator } from '../app.ts';
import { certificatePem } from '../connected.ts';
import type { SimulatorInput } from '../options.ts';
import { createRawClient } from '../raw-client.ts';

function portal(options: SimulatorInput = { devices: 40 }) {
  const simulator = createSimulator(options);
  const send = (method: string, path: string, body?: string | FormData, type?: string) =>
    simulator.fetch(
      new Request(`http://abm.test${path}`, {
        method,
        ...(body !== undefined && { body }),
        ...(type !== undefined && { headers: { 'content-type': type } }),
      }),
    );
  const json = async (method: string, path: string, body?: object) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await send(method, `/portal/api${path}`, text, 'application/json');
    return { status: answer.status, body: (await answer.json()) as never };
  };
  return { simulator, send, json };
}

interface Server {
  uuid: string;
  name: string;
  devices: number;
  defaultFor: string[];
  token: { expiresAt: string; admin: string } | null;
}

type Portal = ReturnType<typeof portal>;

async function addServer({ json }: Portal, extra: object = {}): Promise<Server> {
  const certificate = certificatePem;
  const { body } = await json('POST', '/servers', { name: 'Ours', certificate, ...extra });
  return body;
}

const fleetOf = (simulator: Simulator) => simulator.world.organizations[0]!.fleet;

describe('server entries', () => {
  test('are made from a PEM sent as JSON, as a form, or as it is', async () => {
    const abm = portal();
    const form = new FormData();
    form.set('name', 'By form');
    form.set('assignAll', 'on');
    form.set('certificate', new File([certificatePem], 'server.pem'));

    const byJson = await addServer(abm);
    const byForm = await abm.send('POST', '/portal/api/servers', form);
    const bare = await abm.send('POST', '/portal/api/servers?name=Bare', certificatePem);

    expect(byJson).toMatchObject({ name: 'Ours', devices: 0, token: null });
    expect([byForm.status, bare.status]).toEqual([201, 201]);
    expect(await byForm.json()).toMatchObject({ name: 'By form', devices: 40 });
    const { body } = await abm.json('GET', '/servers');
    expect((body as { items: Server[] }).items.map(({ name }) => name)).toEqual([
      'Ours',
      'By form',
      'Bare',
    ]);
  });

  test.each([
    ['no name', { certificate: certificatePem }],
    ['a blank name', { name: ' ', certificate: certificatePem }],
    ['no certificate', { name: 'X' }],
    ['text for a certificate', { name: 'X', certificate: 'hello' }],
    ['a field that there is not', { name: 'X', certificate: certificatePem, color: 'red' }],
    [
      'an EC certificate',
      {
        name: 'X',
        certificate: readFileSync(new URL('../token/fixtures/ec.pem', import.meta.url), 'utf8'),
      },
    ],
  ])('are refused with %s, and nothing is made', async (_, body) => {
    const abm = portal();
    expect((await abm.json('POST', '/servers', body)).status).toBe(400);
    expect(abm.simulator.world.servers.size).toBe(0);
  });

  test('a body that is not JSON answers 400', async () => {
    const { send } = portal();
    const answer = await send('POST', '/portal/api/servers', '{', 'application/json');
    expect(answer.status).toBe(400);
  });

  test('go away only without devices', async () => {
    const abm = portal();
    const { uuid } = await addServer(abm, { assignAll: true });
    const remove = () => abm.send('DELETE', `/portal/api/servers/${uuid}`);

    expect((await remove()).status).toBe(409);
    const serials = [...fleetOf(abm.simulator).serials];
    await abm.json('POST', '/devices/unassign', { serials });
    expect((await remove()).status).toBe(204);
    expect((await abm.json('GET', `/servers/${uuid}`)).status).toBe(404);
  });
});

describe('a token download', () => {
  test('is a file that only the uploaded certificate can open, for a year', async () => {
    const abm = portal();
    const { uuid } = await addServer(abm);

    const answer = await abm.send('POST', `/portal/api/servers/${uuid}/token`);

    expect(answer.headers.get('content-disposition')).toMatch(
      /^attachment; filename="Ours_Token_.*_smime\.p7m"$/,
    );
    const text = await answer.text();
    const cms = Buffer.from(text.split('\n\n')[1]!, 'base64');
    const serialNumber = Buffer.from(new X509Certificate(certificatePem).serialNumber, 'hex');
    expect(cms.includes(serialNumber)).toBe(true);
    const { body } = await abm.json('GET', `/servers/${uuid}`);
    const days = (Date.parse((body as Server).token!.expiresAt) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(365);
  });

  test('ends the one before it', async () => {
    const abm = portal();
    const { uuid } = await addServer(abm);
    const download = () => abm.send('POST', `/portal/api/servers/${uuid}/token`);
    await download();
    const first = abm.simulator.world.servers.get(uuid)!.token!;
    await download();
    const client = createRawClient(abm.simulator.fetch, first);
    expect((await client.requestSession()).status).toBe(401);
  });

  test('takes another admin, a date and another package', async () => {
    const abm = portal();
    const { uuid } = await addServer(abm);
    const options = {
      admin: 'other@example.org',
      expiresAt: '2020-01-01T00:00:00Z',
      package: { form: 'raw', encoding: 'der', cipher: 'des-ede3-cbc' },
    };

    const answer = await abm.send(
      'POST',
      `/portal/api/servers/${uuid}/token`,
      JSON.stringify(options),
      'application/json',
    );

    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.subarray(0, 2).toString('hex')).toBe('3082');
    expect(bytes.includes(Buffer.from('2a864886f70d0307', 'hex'))).toBe(true);
    const { body } = await abm.json('GET', `/servers/${uuid}`);
    expect((body as Server).token).toEqual({
      expiresAt: '2020-01-01T00:00:00Z',
      admin: 'other@example.org',
    });
  });
});

describe('devices', () => {
  test('are assigned by a CSV of serials, one a row', async () => {
    const abm = portal();
    const { uuid } = await addServer(abm);
    const [a = '', b = ''] = fleetOf(abm.simulator).serials;

    const csv = `\ufeffserial number\r\n${a}\r\n\r\n"${b.toLowerCase()}"\r\nNOBODY\r\n`;
    const answer = await abm.send('POST', `/portal/api/servers/${uuid}/devices`, csv, 'text/csv');

    expect(await answer.json()).toEqual({ done: 2, unknown: ['NOBODY'] });
    const { body } = await abm.json('GET', `/devices?server=${uuid}`);
    const { items } = body as { items: { serial_number: string; server: string }[] };
    expect(items.map((item) => item.serial_number)).toEqual([a, b]);
  });

  test('are assigned by the file of a form', async () => {
    const abm = portal();
    const { uuid } = await addServer(abm);
    const form = new FormData();
    form.set('file', new File([fleetOf(abm.simulator).serials.join('\n')], 'serials.csv'));
    const answer = await abm.send('POST', `/portal/api/servers/${uuid}/devices`, form);
    expect(await answer.json()).toEqual({ done: 40, unknown: [] });
  });

  test('are assigned by number, all, and moved by serial', async () => {
    const abm = portal();
    const ours = await addServer(abm);
    const other = await addServer(abm, { name: 'Other' });
    const on = async (uuid: string) =>
      ((await abm.json('GET', `/servers/${uuid}`)).body as Server).devices;

    await abm.json('POST', `/servers/${ours.uuid}/devices`, { count: 10 });
    expect(await on(ours.uuid)).toBe(10);
    await abm.json('POST', `/servers/${ours.uuid}/devices`, { all: true });
    expect(await on(ours.uuid)).toBe(40);
    const serials = fleetOf(abm.simulator).serials.slice(0, 3);
    await abm.json('POST', `/servers/${other.uuid}/devices`, { serials });
    expect([await on(ours.uuid), await on(other.uuid)]).toEqual([37, 3]);
  });

  test('that are bought go to the default server of their family', async () => {
    const abm = portal();
    const mac = await addServer(abm, { name: 'Macs' });
    const rest = await addServer(abm, { name: 'Rest' });
    const defaults = { iPhone: rest.uuid, iPad: rest.uuid, Mac: mac.uuid };
    expect((await abm.json('PUT', '/defaults', defaults)).status).toBe(200);

    const { status, body } = await abm.json('POST', '/devices/buy', { count: 300 });

    expect(status).toBe(201);
    const { fleet } = abm.simulator.world.organizations[0]!;
    const { serials } = body as { serials: string[] };
    const places = serials.map((serial) => {
      const device = fleet.find(serial)!;
      const { server } = fleet.state(device);
      return `${fleet.product(device).family} ${abm.simulator.world.serverByNumber(server)?.name}`;
    });
    expect(new Set(places)).toEqual(
      new Set(['iPhone Rest', 'iPad Rest', 'Mac Macs', 'AppleTV undefined', 'Vision undefined']),
    );
  });

  test('can be labelled, unassigned, replaced and released', async () => {
    const abm = portal();
    const { uuid } = await addServer(abm, { assignAll: true });
    const [a = '', b = '', c = ''] = fleetOf(abm.simulator).serials;
    const one = async (serial: string) =>
      (await abm.json('GET', `/devices/${serial}`)).body as Record<string, unknown>;

    await abm.json('POST', '/devices/label', { serials: [a], assetTag: 'DESK "7" ü' });
    expect(await one(a)).toMatchObject({ asset_tag: 'DESK "7" ü', server: uuid });
    await abm.json('POST', '/devices/unassign', { serials: [a] });
    expect(await one(a)).toMatchObject({ status: 'unassigned', server: null });
    const replaced = await abm.json('POST', `/devices/${b}/replace`);
    expect(replaced).toMatchObject({
      status: 201,
      body: { server: uuid, is_replacement_device: true },
    });
    expect(await one(b)).toMatchObject({ status: 'released' });
    await abm.json('POST', '/devices/release', { serials: [c] });
    expect(await one(c)).toMatchObject({ status: 'released' });
    expect((await abm.json('POST', `/devices/${c}/replace`)).status).toBe(409);
    expect((await abm.json('GET', '/devices/NOBODY')).status).toBe(404);
  });

  test('of another organization cannot be taken', async () => {
    const abm = portal({ devices: 5, organizations: 2 });
    const { uuid } = await addServer(abm);
    const foreign = abm.simulator.world.organizations[1]!.fleet.serial(0);
    const { body } = await abm.json('POST', `/servers/${uuid}/devices`, { serials: [foreign] });
    expect(body).toEqual({ done: 0, unknown: [foreign] });
  });

  test('are listed whole, page by page', async () => {
    const abm = portal();
    const seen: string[] = [];
    let after: number | null = 0;
    while (after !== null) {
      const { body } = await abm.json('GET', `/devices?limit=15&after=${after}`);
      const page = body as { items: { serial_number: string }[]; nextAfter: number | null };
      seen.push(...page.items.map((item) => item.serial_number));
      after = page.nextAfter;
    }
    expect(seen).toEqual([...fleetOf(abm.simulator).serials]);
  });

  test('change at random, the same way for the same seed', async () => {
    const busy = async () => {
      const abm = portal({ devices: 40, seed: 3 });
      const { uuid } = await addServer(abm, { assignAll: true });
      await abm.json('POST', `/servers/${uuid}/churn`, { count: 50 });
      return fleetOf(abm.simulator).states.map((state) => [state.server, state.assetTag]);
    };
    expect(await busy()).toEqual(await busy());
  });
});

test('withdrawn terms stop the service until they are accepted', async () => {
  const abm = portal();
  const { body } = await abm.json('PUT', '/terms', { accepted: false });
  expect(body).toMatchObject({ termsAccepted: false });
  expect((await abm.json('PUT', '/terms', { accepted: 'no' })).status).toBe(400);
});

test('a person gets a page, on which names are text', async () => {
  const abm = portal();
  await addServer(abm, { name: '<script>alert(1)</script>' });
  const page = await (await abm.send('GET', '/')).text();
  expect(page).toContain('&lt;script&gt;alert(1)');
  expect(page).not.toContain('<script>alert(1)');
});

describe('the side door', () => {
  test('moves the clock, forward and to a date', async () => {
    const { simulator, send } = portal();
    await send('POST', '/control/clock', JSON.stringify({ now: '2031-05-06T07:08:09Z' }));
    expect(new Date(simulator.world.clock.ms()).toISOString().slice(0, 18)).toBe(
      '2031-05-06T07:08:0',
    );
    const before = simulator.world.clock.seconds();
    await send('POST', '/control/clock', JSON.stringify({ advanceSeconds: 3600 }));
    expect(simulator.world.clock.seconds() - before).toBeGreaterThanOrEqual(3600);
    expect((await send('POST', '/control/clock', JSON.stringify({ later: true }))).status).toBe(
      400,
    );
  });

  test('tells the truth about a server, a device a line, and counts calls', async () => {
    const abm = portal({ devices: 2500 });
    const { uuid } = await addServer(abm, { assignAll: true });
    const answer = await abm.send('GET', `/control/truth?server=${uuid}`);
    const lines = (await answer.text()).trim().split('\n');
    const serials = lines.map(
      (line) => (JSON.parse(line) as { serial_number: string }).serial_number,
    );
    expect(serials).toEqual([...fleetOf(abm.simulator).serials]);
    expect((await abm.send('GET', '/control/truth?server=X')).status).toBe(404);

    await abm.send('GET', '/account');
    const stats = (await (await abm.send('GET', '/control/stats')).json()) as object;
    expect(stats).toMatchObject({
      endpoints: { account: { calls: 1, byCode: { USER_AGENT_MISSING: 1 } } },
    });
    await abm.send('DELETE', '/control/stats');
    const reset = await (await abm.send('GET', '/control/stats')).json();
    expect(reset).toMatchObject({ endpoints: {} });
  });
});
