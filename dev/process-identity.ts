import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** True also for a process of another user; false for one that only waits to be taken away. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return statOf(String(pid))?.state !== 'Z';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * A word that differs for two processes that had the same pid one after the other; null when the
 * process is gone or the system does not tell.
 */
export function birthOf(pid: number): string | null {
  const fields = statOf(String(pid));
  if (fields === null) return birthFromPs(pid);
  return fields.state === 'Z' ? null : fields.startedAt;
}

/**
 * Whether anybody of a process group still runs. A zombie does not: in a container without an init
 * process nobody ever takes it away.
 */
export function groupRuns(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      const stat = statOf(pid);
      return stat?.group === group && stat.state !== 'Z';
    });
}

function statOf(pid: string): { state: string; group: number; startedAt: string } | null {
  try {
    // The name in brackets may hold blanks and brackets: count fields after the last bracket.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      state: fields[0] ?? '',
      group: Number(fields[2]),
      startedAt: fields[19] ?? '',
    };
  } catch {
    return null;
  }
}

function birthFromPs(pid: number): string | null {
  if (process.platform === 'linux' || process.platform === 'win32') return null;
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}
