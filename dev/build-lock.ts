import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { birthOf, isAlive } from './process-identity.ts';

/**
 * Runs `work` while no other process does the same under this lock file; waits for it as long as it
 * lives. `onWait` is told once, with the process id of the other one.
 */
export async function withBuildLock<T>(
  file: string,
  onWait: (pid: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify({ pid: process.pid, birth: birthOf(process.pid) }));
  try {
    for (let told = false; !tryLink(draft, file);) {
      const holder = readHolder(file);
      if (holder === null || !holds(holder)) {
        moveAway(file);
        continue;
      }
      if (!told) onWait(holder.pid);
      told = true;
      await sleep(500);
    }
    try {
      return await work();
    } finally {
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

interface Holder {
  pid: number;
  birth: string | null;
}

function tryLink(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return null;
  }
}

function holds({ pid, birth }: Holder): boolean {
  return isAlive(pid) && (birth === null || birthOf(pid) === birth);
}

function moveAway(file: string): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // somebody else was quicker
  }
  // Two may judge the same stale lock; the slower one must not throw the new one away.
  const moved = readHolder(aside);
  if (moved !== null && holds(moved)) tryLink(aside, file);
  rmSync(aside, { force: true });
}
