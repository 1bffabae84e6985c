import type { DeviceState } from './state.ts';

export type Operation = 'added' | 'modified' | 'deleted';

export interface Change {
  readonly device: number;
  readonly operation: Operation;
  /** Seconds since 1970. */
  readonly at: number;
  /** As it was when this happened, and not as it is now. */
  readonly state: DeviceState;
}

/**
 * What happened to the devices of one MDM server, in the order in which it happened. Positions only
 * grow; a delta cursor is a position. Before anybody holds a cursor nothing has to be kept.
 */
export class ChangeLog {
  #entries: Change[] = [];
  /** Position of the first entry that is still kept. */
  #start = 0;
  #watched = false;

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#entries.length;
  }

  /** From now on somebody may ask for what happens. */
  watch(): void {
    this.#watched = true;
  }

  append(change: Change): void {
    if (this.#watched) this.#entries.push(change);
  }

  slice(from: number, limit: number): Change[] {
    return this.#entries.slice(from - this.#start, from - this.#start + limit);
  }

  /** Forgets what no living cursor can reach. */
  dropBefore(seconds: number): void {
    const keep = this.#entries.findIndex((change) => change.at >= seconds);
    const dropped = keep === -1 ? this.#entries.length : keep;
    this.#entries = this.#entries.slice(dropped);
    this.#start += dropped;
  }

  /** Somebody may hold a cursor from before, so it is watched from the start. */
  restore(start: number, entries: Change[]): void {
    this.#start = start;
    this.#entries = entries;
    this.#watched = true;
  }
}
