/**
 * The world's clock. It runs with the wall and can be moved, so that a cursor is a week old, or a token
 * a year, without waiting. OAuth timestamps are judged by the wall: the client under test has no part
 * in the simulated time.
 */
export class SimulatedClock {
  readonly #wall: () => number;
  #offsetMs = 0;

  constructor(wall: () => number = Date.now) {
    this.#wall = wall;
  }

  get offsetMs(): number {
    return this.#offsetMs;
  }

  set offsetMs(value: number) {
    this.#offsetMs = value;
  }

  /** Milliseconds of simulated time since 1970. */
  ms(): number {
    return this.#wall() + this.#offsetMs;
  }

  /** Whole seconds of simulated time: the resolution of every date that Apple sends. */
  seconds(): number {
    return Math.floor(this.ms() / 1000);
  }

  wallSeconds(): number {
    return Math.floor(this.#wall() / 1000);
  }

  advance(seconds: number): void {
    this.#offsetMs += seconds * 1000;
  }
}

/** `2026-01-17T11:02:21Z` */
export function isoSeconds(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
