import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { birthOf, isAlive } from './process-identity.ts';
import { StartError } from './start-error.ts';

interface Holder {
  pid: number;
  birth: string | null;
  url: string;
}

export interface Lock {
  release(): void;
}

/**
 * Takes a data directory for this process. The lock of a process that is gone, or whose pid belongs
 * to another process by now, is taken over. Throws `StartError` while its holder lives.
 */
export function takeLock(dataDir: string, url: string): Lock {
  const file = path.join(dataDir, 'lock.json');
  const mine: Holder = { pid: process.pid, birth: birthOf(process.pid), url };
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    // A link appears whole or not at all, so nobody ever reads half a lock.
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (tryLink(draft, file)) {
        return {
          release: () => {
            release(file);
          },
        };
      }
      const found = readHolder(file);
      if (found !== null && holds(found)) throw heldBy(found, dataDir);
      moveAway(file, found);
    }
    throw new StartError(`The lock ${file} changes hands all the time.`, 'Try again in a moment.');
  } finally {
    rmSync(draft, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): Holder | null {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Holder>;
    if (!Number.isInteger(value.pid)) return null;
    return { pid: value.pid ?? 0, birth: value.birth ?? null, url: value.url ?? '' };
  } catch {
    return null;
  }
}

function holds(holder: Holder): boolean {
  if (holder.pid === process.pid || !isAlive(holder.pid)) return false;
  const birth = birthOf(holder.pid);
  // A zombie has no birth any more and holds nothing; without either word the pid must do.
  return holder.birth === null ? true : birth === holder.birth;
}

function moveAway(file: string, judged: Holder | null): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  // Two takers may judge the same stale lock; the slower one must not throw the new one away.
  const moved = readHolder(aside);
  if (moved !== null && moved.pid !== judged?.pid && holds(moved)) tryLink(aside, file);
  rmSync(aside, { force: true });
}

function release(file: string): void {
  if (readHolder(file)?.pid === process.pid) rmSync(file, { force: true });
}

function heldBy(holder: Holder, dataDir: string): StartError {
  return new StartError(
    `GuardMDM ABM already runs with the data in ${dataDir} (process ${holder.pid}${holder.url === '' ? '' : `, ${holder.url}`}).`,
    `Use that one, stop it with: kill ${holder.pid}, or start this one with other data: DATA_DIR=.data2 PORT=8081 npm start`,
  );
}
