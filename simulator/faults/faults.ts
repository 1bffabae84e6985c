import { z } from 'zod';
import { endpoints, type EndpointName } from '../ade/endpoints.ts';
import type { Random } from '../random.ts';
import { faultEntry, faultNames, type FaultEntry, type FaultName } from './catalog.ts';

const params = z.strictObject({
  /** Replace what a refusal says. */
  status: z.int().min(400).max(599).optional(),
  body: z.string().optional(),
  retryAfterSeconds: z.int().min(0).optional(),
  retryAfterForm: z.enum(['seconds', 'date']).optional(),
  delayMs: z.int().min(0).max(600_000).optional(),
  drops: z.int().min(1).max(1000).optional(),
  /** Before or after the call has done its work. */
  when: z.enum(['before', 'after']).optional(),
  shape: z.json().optional(),
  /** The serials it strikes; left out: all. */
  serials: z.array(z.string()).optional(),
  /** Strikes each nth serial. */
  every: z.int().min(1).optional(),
  changes: z.int().min(1).max(10_000).optional(),
  keepOld: z.boolean().optional(),
});

/** What `POST /control/faults` takes. */
export const faultRequest = z.strictObject({
  name: z.enum(faultNames),
  /** Left out: every endpoint that the fault makes sense for. */
  endpoints: z.array(z.enum(endpoints)).min(1).optional(),
  server: z.string().optional(),
  /** How often it strikes before it is gone; left out: always. */
  count: z.int().min(1).optional(),
  /** So many calls that it would strike pass first. */
  skip: z.int().min(0).optional(),
  probability: z.number().min(0).max(1).optional(),
  params: params.optional(),
});

export type FaultRequest = z.input<typeof faultRequest>;
export type FaultParams = z.infer<typeof params>;

export interface ActiveFault {
  id: number;
  name: FaultName;
  endpoints: readonly EndpointName[];
  server: string | null;
  /** Null: without end. */
  remaining: number | null;
  skip: number;
  probability: number;
  params: FaultParams;
  /** How often it has struck. */
  struck: number;
}

export interface Struck {
  name: FaultName;
  entry: FaultEntry;
  params: FaultParams;
}

/** The faults that are switched on. A call draws the ones that strike it, once, at its beginning. */
export class Faults {
  #active: ActiveFault[] = [];
  #lastId = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Throws ZodError for a request that cannot be followed. */
  add(request: FaultRequest): ActiveFault {
    const asked = faultRequest.parse(request);
    this.#lastId += 1;
    const fault: ActiveFault = {
      id: this.#lastId,
      name: asked.name,
      endpoints: asked.endpoints ?? faultEntry(asked.name).endpoints ?? endpoints,
      server: asked.server ?? null,
      remaining: asked.count ?? null,
      skip: asked.skip ?? 0,
      probability: asked.probability ?? 1,
      params: asked.params ?? {},
      struck: 0,
    };
    this.#active.push(fault);
    return fault;
  }

  list(): readonly ActiveFault[] {
    return this.#active;
  }

  remove(id: number): boolean {
    const before = this.#active.length;
    this.#active = this.#active.filter((fault) => fault.id !== id);
    return this.#active.length < before;
  }

  clear(): void {
    this.#active = [];
  }

  draw(endpoint: EndpointName, server: string | null): Struck[] {
    const struck: Struck[] = [];
    for (const fault of this.#active) {
      if (!fault.endpoints.includes(endpoint)) continue;
      if (fault.server !== null && fault.server !== server) continue;
      if (fault.probability < 1 && this.#random.next() >= fault.probability) continue;
      if (fault.skip > 0) {
        fault.skip -= 1;
        continue;
      }
      fault.struck += 1;
      if (fault.remaining !== null) fault.remaining -= 1;
      struck.push({ name: fault.name, entry: faultEntry(fault.name), params: fault.params });
    }
    this.#active = this.#active.filter((fault) => fault.remaining !== 0);
    return struck;
  }
}

/** Whether a fault that strikes some serials strikes this one, the nth that was asked for. */
export function strikes(fault: Struck, serial: string, nth: number): boolean {
  const { serials, every } = fault.params;
  if (serials !== undefined && !serials.includes(serial)) return false;
  return every === undefined || nth % every === 0;
}
