import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit, spawnChild, type Child, type ChildSpec } from './child.ts';
import { StartError } from './start-error.ts';

export interface PartSpec extends ChildSpec {
  name: string;
}

export interface Supervisor {
  /** Starts a part and keeps it alive from then on. Resolves with its ready message. */
  start(spec: PartSpec): Promise<unknown>;
  /** Stops these parts at the same time; those that are not there are left out. */
  stop(names: readonly string[]): Promise<void>;
  /** Refuses new parts and restarts from now on; what runs goes on until it is stopped. */
  close(): void;
  /** Ends every part at once. */
  killAll: () => void;
  pids(): Record<string, number>;
}

export interface SupervisorOptions {
  say: (name: string, text: string) => void;
  /** A part died again and again: it is not started any more. */
  onGiveUp(name: string, reason: string): void;
  /** Milliseconds before the first restart; doubled for each further death within `calmMs`. */
  firstPauseMs?: number;
  maxDeaths?: number;
  calmMs?: number;
}

interface Kept {
  child: Child;
  deaths: number[];
  stopped: boolean;
}

/** Keeps parts alive: an unexpected death is followed by a restart, many deaths by giving up. */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { firstPauseMs = 500, maxDeaths = 5, calmMs = 60_000 } = options;
  const parts = new Map<string, Kept>();
  let closed = false;

  const isOver = (kept: Kept) => closed || kept.stopped;

  async function keepAlive(spec: PartSpec, kept: Kept): Promise<void> {
    for (;;) {
      const exit = await kept.child.gone;
      if (isOver(kept)) return;
      const now = Date.now();
      kept.deaths = [...kept.deaths.filter((at) => now - at < calmMs), now];
      if (kept.deaths.length >= maxDeaths) {
        parts.delete(spec.name);
        options.onGiveUp(
          spec.name,
          `it ended ${kept.deaths.length} times within ${calmMs / 1000} s, last with ${describeExit(exit)}`,
        );
        return;
      }
      const pauseMs = firstPauseMs * 2 ** (kept.deaths.length - 1);
      options.say(
        spec.name,
        `ended with ${describeExit(exit)}; starting it again in ${pauseMs / 1000} s`,
      );
      await sleep(pauseMs);
      if (isOver(kept)) return;
      kept.child = spawnChild(spec);
      void kept.child.ready.then(
        () => {
          options.say(spec.name, `runs again (process ${kept.child.pid})`);
        },
        () => {
          // Not ready in time is as good as dead; an exit is seen above.
          if (!isOver(kept)) kept.child.kill();
        },
      );
    }
  }

  return {
    start: async (spec) => {
      if (closed) throw new StartError('GuardMDM ABM is being stopped', '');
      const kept: Kept = { child: spawnChild(spec), deaths: [], stopped: false };
      parts.set(spec.name, kept);
      const answer = await kept.child.ready;
      void keepAlive(spec, kept);
      return answer;
    },
    stop: async (names) => {
      await Promise.all(
        names.map(async (name) => {
          const kept = parts.get(name);
          if (kept === undefined) return;
          kept.stopped = true;
          await kept.child.stop();
          parts.delete(name);
        }),
      );
    },
    close: () => {
      closed = true;
    },
    killAll: () => {
      closed = true;
      for (const kept of parts.values()) kept.child.kill();
    },
    pids: () => Object.fromEntries([...parts].map(([name, kept]) => [name, kept.child.pid])),
  };
}
