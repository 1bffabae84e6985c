/** Failures that one address may have in a window before it is made to wait. */
const allowed = 20;
const windowSeconds = 60;
const longestList = 10_000;

/**
 * Counts wrong API keys by address. Bounded: when the list is full the oldest address is forgotten,
 * since a guess at 256 bits needs no counting and the limit is there against noise.
 */
export class FailedKeys {
  #addresses = new Map<string, { failures: number; since: number }>();

  /** Seconds until the address may try again; 0: now. */
  waitSeconds(address: string, now: Date): number {
    const entry = this.#addresses.get(address);
    if (entry === undefined || entry.failures < allowed) return 0;
    return Math.max(0, Math.ceil(windowSeconds - (now.getTime() - entry.since) / 1000));
  }

  note(address: string, now: Date): void {
    const entry = this.#addresses.get(address);
    const fresh = entry !== undefined && now.getTime() - entry.since < windowSeconds * 1000;
    this.#addresses.delete(address);
    this.#addresses.set(address, {
      failures: fresh ? entry.failures + 1 : 1,
      since: fresh ? entry.since : now.getTime(),
    });
    for (const oldest of this.#addresses.keys()) {
      if (this.#addresses.size <= longestList) break;
      this.#addresses.delete(oldest);
    }
  }

  get size(): number {
    return this.#addresses.size;
  }
}
