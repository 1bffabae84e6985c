/** Upper bounds of the duration buckets, in seconds; a slower call falls into the bucket `null`. */
export const appleCallBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** Calls to Apple with one endpoint, one answer and one range of durations. */
export interface AppleCallTally {
  /** Path without its values, as in Apple's documentation: `/devices/sync`. */
  endpoint: string;
  /** `ok` or an `AdeCode`. */
  code: string;
  /** The bucket that the calls fall into (not cumulative). */
  upToSeconds: number | null;
  calls: number;
  /** Sum of their durations. */
  seconds: number;
}

/** What all processes have counted together. */
export interface AppleCallStore {
  /** Adds to what is stored. */
  add(tallies: readonly AppleCallTally[], now: Date): Promise<void>;
  totals(): Promise<AppleCallTally[]>;
}

/** Counts in memory between two flushes, so that a call to Apple costs no write of its own. */
export class AppleCallCounter {
  #tallies = new Map<string, AppleCallTally>();

  count(call: { endpoint: string; code: string; seconds: number }): void {
    const upToSeconds = appleCallBuckets.find((bound) => call.seconds <= bound) ?? null;
    const key = `${call.endpoint} ${call.code} ${String(upToSeconds)}`;
    const tally = this.#tallies.get(key) ?? { ...call, upToSeconds, calls: 0, seconds: 0 };
    this.#tallies.set(key, {
      ...tally,
      calls: tally.calls + 1,
      seconds: tally.seconds + call.seconds,
    });
  }

  /** Hands over what was counted; what could not be stored is given back by `restore`. */
  drain(): AppleCallTally[] {
    const tallies = [...this.#tallies.values()];
    this.#tallies = new Map();
    return tallies;
  }

  restore(tallies: readonly AppleCallTally[]): void {
    for (const tally of tallies) {
      const key = `${tally.endpoint} ${tally.code} ${String(tally.upToSeconds)}`;
      const held = this.#tallies.get(key);
      this.#tallies.set(key, {
        ...tally,
        calls: tally.calls + (held?.calls ?? 0),
        seconds: tally.seconds + (held?.seconds ?? 0),
      });
    }
  }
}
