import { randomBytes } from 'node:crypto';

export interface Session {
  token: string;
  serverUuid: string;
  /** Seconds since 1970. */
  openedAt: number;
}

/** Session tokens that were given out, and the nonces that they were asked for with. */
export class Sessions {
  readonly #open = new Map<string, Session>();
  readonly #nonces = new Map<string, number>();

  open(serverUuid: string, nowMs: number): Session {
    const token = `${nowMs}O1O${randomBytes(16).toString('hex').toUpperCase()}`;
    const session = { token, serverUuid, openedAt: Math.floor(nowMs / 1000) };
    this.#open.set(token, session);
    return session;
  }

  find(token: string): Session | undefined {
    return this.#open.get(token);
  }

  end(token: string): void {
    this.#open.delete(token);
  }

  endAll(serverUuid: string): void {
    for (const session of this.#open.values()) {
      if (session.serverUuid === serverUuid) this.#open.delete(session.token);
    }
  }

  /** False when this nonce was used before. Nonces older than `forgetBefore` fail by their timestamp. */
  useNonce(nonce: string, timestamp: number, forgetBefore: number): boolean {
    if (this.#nonces.has(nonce)) return false;
    this.#nonces.set(nonce, timestamp);
    if (this.#nonces.size > 10_000) {
      for (const [old, at] of this.#nonces) if (at < forgetBefore) this.#nonces.delete(old);
    }
    return true;
  }
}
