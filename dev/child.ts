import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupRuns } from './process-identity.ts';
import { StartError } from './start-error.ts';

export interface ChildSpec {
  /** Arguments of node. */
  args: readonly string[];
  env: Record<string, string | undefined>;
  cwd?: string;
  /** `message`: the child says `{type: 'ready'}` over its channel; else a probe that resolves then. */
  ready: 'message' | ((signal: AbortSignal) => Promise<void>);
  startSeconds: number;
  /** How long a polite stop may take before it is an impolite one. */
  graceSeconds: number;
  onLine: (line: string, stream: 'stdout' | 'stderr') => void;
  onProgress?(text: string): void;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Child {
  pid: number;
  /** Resolves with what the child said with its ready message; rejects when it ends before that. */
  ready: Promise<unknown>;
  /** Resolves when the child and everything in its process group are gone. */
  gone: Promise<Exit>;
  /** Ends it and its group: politely, then not. Resolves when they are gone. */
  stop(): Promise<void>;
  /** Ends it and its group at once. */
  kill(): void;
}

type Message =
  | { type: 'ready'; value?: unknown }
  | { type: 'progress'; text: string }
  | { type: 'failed'; message: string; remedy?: string };

/**
 * Starts a child in a process group of its own: Ctrl-C in a terminal goes to the whole foreground
 * group at once, and the parts have to stop one after the other.
 */
export function spawnChild(spec: ChildSpec): Child {
  const child = spawn(process.execPath, spec.args, {
    env: spec.env,
    cwd: spec.cwd,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const pid = child.pid;
  if (pid === undefined) throw new StartError('node could not be started', 'Free some memory.');

  let failure: { message: string; remedy?: string } | null = null;
  let stopping = false;
  const said = new Promise<unknown>((resolve) => {
    child.on('message', (raw) => {
      const message = raw as Message;
      if (message.type === 'ready') resolve(message.value);
      else if (message.type === 'progress') spec.onProgress?.(message.text);
      else failure = message;
    });
  });
  readLines(child.stdout, (line) => {
    spec.onLine(line, 'stdout');
  });
  readLines(child.stderr, (line) => {
    spec.onLine(line, 'stderr');
  });

  const exited = new Promise<Exit>((resolve) => {
    child.once('error', () => {
      resolve({ code: null, signal: null });
    });
    child.once('exit', (code, signal) => {
      resolve({ code, signal });
    });
  });
  const gone = exited.then(async (exit) => {
    await endGroup(pid);
    return exit;
  });

  const abort = new AbortController();
  const endedEarly = exited.then((exit) => {
    abort.abort();
    throw new StartError(
      failure?.message ?? `it ended with ${describeExit(exit)}`,
      failure?.remedy ?? '',
    );
  });
  const isReady = spec.ready === 'message' ? said : spec.ready(abort.signal);
  const ready = Promise.race([isReady, endedEarly, tooSlow(spec.startSeconds, abort.signal)]);
  // A child that is stopped before it was ready is no error to those who stopped it.
  ready.catch(() => undefined);
  void ready.then(() => {
    abort.abort();
  }, noop);

  return {
    pid,
    ready,
    gone,
    kill: () => {
      signalGroup(pid, 'SIGKILL');
    },
    stop: async () => {
      if (!stopping) {
        stopping = true;
        child.kill('SIGTERM');
        const timer = setTimeout(() => {
          signalGroup(pid, 'SIGKILL');
        }, spec.graceSeconds * 1000);
        void exited.then(() => {
          clearTimeout(timer);
        });
      }
      await gone;
    },
  };
}

export function describeExit(exit: Exit): string {
  return exit.signal === null ? `code ${exit.code ?? 'unknown'}` : `signal ${exit.signal}`;
}

function noop(): void {
  // A rejection is told to whoever awaits `ready`.
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}

async function tooSlow(seconds: number, signal: AbortSignal): Promise<never> {
  await sleep(seconds * 1000, undefined, { signal, ref: false }).catch(() => undefined);
  if (signal.aborted) return new Promise<never>(noop);
  throw new StartError(`it was not ready after ${seconds} s`, '');
}

/** What a child left behind: a database whose keeper was killed, a compiler that it had started. */
async function endGroup(pid: number): Promise<void> {
  // An interrupt is the fast and clean end for PostgreSQL, Temporal and compilers alike.
  signalGroup(pid, 'SIGINT');
  for (let waited = 0; groupRuns(pid); waited += 50) {
    if (waited === 5_000) signalGroup(pid, 'SIGKILL');
    await sleep(50);
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is in the group any more.
  }
}
