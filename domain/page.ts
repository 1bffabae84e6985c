/** A slice of a list. `nextCursor` is opaque to everyone but the store that made it; null at the end. */
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** `cursor` comes from a client: a store answers a foreign one with `invalid_request` on `cursor`. */
export interface PageQuery {
  limit: number;
  cursor: string | null;
}
