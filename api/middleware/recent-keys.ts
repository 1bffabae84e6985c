const markEverySeconds = 60;
const longestList = 1_000;

/** Hashes of keys that worked lately, so that "last used" costs one write a minute and not one a request. */
export class RecentKeys {
  #markedAt = new Map<string, number>();

  has(hash: Uint8Array): boolean {
    return this.#markedAt.has(id(hash));
  }

  /** True when the use is due to be written down. */
  note(hash: Uint8Array, now: Date): boolean {
    const before = this.#markedAt.get(id(hash));
    if (before !== undefined && now.getTime() - before < markEverySeconds * 1000) return false;
    this.#markedAt.delete(id(hash));
    this.#markedAt.set(id(hash), now.getTime());
    for (const oldest of this.#markedAt.keys()) {
      if (this.#markedAt.size <= longestList) break;
      this.#markedAt.delete(oldest);
    }
    return true;
  }

  forget(hash: Uint8Array): void {
    this.#markedAt.delete(id(hash));
  }
}

const id = (hash: Uint8Array) => Buffer.from(hash).toString('base64');
