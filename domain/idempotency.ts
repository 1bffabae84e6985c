/** Answers of writes that a client may repeat, by API key and `Idempotency-Key`. Kept for a day. */
export interface IdempotencyStore {
  /**
   * Claims a key for one request. `new`: the caller does the work and then calls `finish` or
   * `release`. `in_progress`: another caller holds the claim and it is younger than `leaseSeconds`.
   * `reused`: the key was used for a request with another fingerprint.
   */
  claim(input: {
    apiKeyId: string;
    key: string;
    /** SHA-256 over method, path, query and body. */
    fingerprint: Uint8Array;
    leaseSeconds: number;
    now: Date;
  }): Promise<
    | { outcome: 'new' }
    | { outcome: 'replay'; answer: Uint8Array }
    | { outcome: 'in_progress' }
    | { outcome: 'reused' }
  >;
  /** Stores the answer. It comes sealed: an answer may hold a secret that is shown once. */
  finish(input: { apiKeyId: string; key: string; answer: Uint8Array; now: Date }): Promise<void>;
  /** Gives the claim back: the request failed and changed nothing. */
  release(input: { apiKeyId: string; key: string }): Promise<void>;
}
