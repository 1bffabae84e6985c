import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { takeLock } from './lock.ts';
import { birthOf } from './process-identity.ts';
import { StartError } from './start-error.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'lock-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const url = 'http://localhost:8080';

test('a data directory that nobody uses is taken, and free again after the release', () => {
  const lock = takeLock(dir, url);
  expect(JSON.parse(readFileSync(path.join(dir, 'lock.json'), 'utf8'))).toMatchObject({
    pid: process.pid,
  });

  lock.release();

  expect(readdirSync(dir)).toEqual([]);
});

test('the lock of a living process is respected, and its owner named', async () => {
  const other = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
  writeHolder({ pid: other.pid!, birth: birthOf(other.pid!), url });

  expect(() => takeLock(dir, url)).toThrow(StartError);
  expect(() => takeLock(dir, url)).toThrow(`process ${other.pid!}`);

  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(() => takeLock(dir, url)).not.toThrow();
});

test('a pid that belongs to another process by now holds nothing', () => {
  writeHolder({ pid: process.ppid, birth: 'long ago', url });

  expect(() => takeLock(dir, url)).not.toThrow();
});

test('our own pid in the file is from another life, as in a container', () => {
  writeHolder({ pid: process.pid, birth: birthOf(process.pid), url });

  expect(() => takeLock(dir, url)).not.toThrow();
});

test('a file that is no lock is replaced', () => {
  writeFileSync(path.join(dir, 'lock.json'), '{"pid":');

  expect(() => takeLock(dir, url)).not.toThrow();
  expect(readdirSync(dir)).toEqual(['lock.json']);
});

function writeHolder(holder: { pid: number; birth: string | null; url: string }): void {
  writeFileSync(path.join(dir, 'lock.json'), JSON.stringify(holder));
}
