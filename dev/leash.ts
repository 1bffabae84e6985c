import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** What ends a program when we die without having stopped it. */
export interface Leash {
  /** The program is gone: nobody needs to watch any more. */
  letGo(): void;
}

/** A shell that waits for its input to close, which is when we are gone, and then ends the program. */
export function leashTo(pid: number, signal: 'INT' | 'TERM'): Leash {
  const script = `cat >/dev/null; kill -${signal} "$1"`;
  const leash = spawn('/bin/sh', ['-c', script, 'leash', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  leash.on('error', () => undefined);
  leash.unref();
  if (leash.stdin instanceof Socket) leash.stdin.unref();
  return {
    letGo: () => {
      try {
        if (leash.pid !== undefined) process.kill(-leash.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    },
  };
}
