import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { certificatePem } from './connected.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'simulate-'));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function simulate(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args]);
  children.push(child);
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        output += text.toString();
        const found = /at (http:\S+):/.exec(output)?.[1];
        if (found !== undefined) resolve(found);
      });
    }
    void ended.then(() => {
      reject(new Error(output));
    });
  });
  url.catch(() => undefined);
  return { child, url, ended, output: () => output };
}

test('it starts alone, keeps its world over Ctrl-C, and leaves with 0', async () => {
  const args = ['--port', '0', '--devices', '12', '--state', join(folder, 'world.json')];
  const first = simulate(...args);
  const made = await fetch(`${await first.url}/portal/api/servers?name=Kept&assignAll=true`, {
    method: 'POST',
    body: certificatePem,
  });
  expect(await made.json()).toMatchObject({ name: 'Kept', devices: 12 });
  first.child.kill('SIGINT');
  expect(await first.ended).toBe(0);

  const second = simulate(...args);
  const kept = await fetch(`${await second.url}/portal/api/servers`);
  expect(await kept.json()).toMatchObject({ items: [{ name: 'Kept', devices: 12 }] });
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
});

test('it says what to do about a port in use and about an option that cannot be', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as AddressInfo;
  const busy = simulate('--port', String(port));
  expect(await busy.ended).toBe(1);
  expect(busy.output()).toContain('choose another with --port');
  taken.close();

  const wrong = simulate('--devices', 'many');
  expect(await wrong.ended).toBe(1);
  expect(wrong.output()).toContain('devices: ');
});
