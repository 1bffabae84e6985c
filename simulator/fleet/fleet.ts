import type { Operation } from './change-log.ts';
import { assetTagOf, productOf, serialOf } from './facts.ts';
import { pristine, RELEASED, type DeviceState } from './state.ts';

/** One thing that happened to a device, told to whoever keeps the log of that server. */
export type Witness = (
  server: number,
  device: number,
  operation: Operation,
  at: number,
  state: DeviceState,
) => void;

/**
 * The devices of one organization, by number from 0. Facts come from the seed; only states are stored.
 * `change` is the one way in which anything about a device changes.
 */
export class Fleet {
  readonly seed: number;
  /** Serials of different fleets never meet. */
  readonly number: number;
  readonly serials: string[] = [];
  readonly states: DeviceState[] = [];
  /** The last `op_date` of each device: the next one is later, though dates have whole seconds only. */
  lastOperationAt: Uint32Array = new Uint32Array(0);
  readonly #bySerial = new Map<string, number>();
  readonly #counts = new Map<number, number>();
  readonly #witness: Witness;

  constructor(seed: number, number: number, size: number, witness: Witness) {
    this.seed = seed;
    this.number = number;
    this.#witness = witness;
    this.grow(size);
  }

  get size(): number {
    return this.serials.length;
  }

  /** New, unassigned devices; answers their numbers. */
  grow(count: number): number[] {
    const added: number[] = [];
    for (let i = 0; i < count; i++) {
      const index = this.serials.length;
      const serial = serialOf(this.seed, this.number, index);
      this.serials.push(serial);
      this.states.push(pristine);
      this.#bySerial.set(serial, index);
      added.push(index);
    }
    this.#count(pristine.server, count);
    if (this.lastOperationAt.length < this.size) {
      const wider = new Uint32Array(Math.ceil(this.size * 1.2));
      wider.set(this.lastOperationAt);
      this.lastOperationAt = wider;
    }
    return added;
  }

  find(serial: string): number | undefined {
    return this.#bySerial.get(serial);
  }

  serial(index: number): string {
    return this.serials[index] ?? '';
  }

  state(index: number): DeviceState {
    return this.states[index] ?? pristine;
  }

  product(index: number) {
    return productOf(this.seed, index);
  }

  orderedAssetTag(index: number): string {
    return assetTagOf(this.seed, index);
  }

  countOn(server: number): number {
    return this.#counts.get(server) ?? 0;
  }

  /** Up to `limit` devices of a server with a number of at least `from`, in the order of numbers. */
  on(server: number, from: number, limit: number): number[] {
    const found: number[] = [];
    for (let i = from; i < this.states.length && found.length < limit; i++) {
      if (this.states[i]?.server === server) found.push(i);
    }
    return found;
  }

  /**
   * Replaces states at `now` (seconds). Leaving a server is a `deleted` there, arriving is an `added`,
   * anything else a `modified`. A released device is out of reach for ever.
   */
  change(devices: readonly number[], now: number, next: (state: DeviceState) => DeviceState): void {
    const known = new Map<DeviceState, DeviceState>();
    for (const device of devices) {
      const before = this.states[device];
      if (before === undefined || before.server === RELEASED) continue;
      let after = known.get(before);
      if (after === undefined) {
        after = next(before);
        known.set(before, after);
      }
      if (after !== before) this.#replace(device, before, after, now);
    }
  }

  #replace(device: number, before: DeviceState, after: DeviceState, now: number): void {
    this.states[device] = after;
    if (before.server !== after.server) {
      this.#count(before.server, -1);
      this.#count(after.server, 1);
      if (before.server > 0) this.#tell(before.server, device, 'deleted', after, now);
      if (after.server > 0) this.#tell(after.server, device, 'added', after, now);
    } else if (after.server > 0) this.#tell(after.server, device, 'modified', after, now);
  }

  #tell(server: number, device: number, operation: Operation, state: DeviceState, now: number) {
    const at = Math.max(now, (this.lastOperationAt[device] ?? 0) + 1);
    this.lastOperationAt[device] = at;
    this.#witness(server, device, operation, at, state);
  }

  #count(server: number, by: number): void {
    this.#counts.set(server, this.countOn(server) + by);
  }

  /** Puts a saved state back without a word to anybody. */
  restore(device: number, state: DeviceState): void {
    this.#count(this.state(device).server, -1);
    this.states[device] = state;
    this.#count(state.server, 1);
  }
}
