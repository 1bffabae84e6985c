import { z } from 'zod';

/** Everything that a world can be told at its start; `npm run simulate -- --help` explains each. */
export const simulatorOptions = z.object({
  seed: z.int().min(0).max(0xffff_ffff).default(7),
  devices: z.int().min(0).max(2_000_000).default(250),
  organizations: z.int().min(1).max(18).default(1),
  sessionLifetimeSeconds: z.int().min(1).default(3600),
  /** False: a new session ends the ones before it. */
  parallelSessions: z.boolean().default(true),
  clockSkewSeconds: z.int().min(1).default(300),
  /** Beginnings of User-Agents that Apple does not let in, whatever their case. */
  blockedUserAgents: z
    .array(z.string().min(1))
    .default(['nanodep', 'node', 'undici', 'go-http-client']),
  /** A device that was assigned so often within a day is throttled for a day; 0: never. */
  throttleAfter: z.int().min(0).default(0),
  latencyMs: z.int().min(0).max(600_000).default(0),
  /** Random changes before each page of devices that is served. */
  churnPerPage: z.int().min(0).default(0),
  /** The URL that clients sign, if a proxy stands between; default: what the request says. */
  publicUrl: z.url().optional(),
  stateFile: z.string().min(1).optional(),
});

export type SimulatorOptions = z.infer<typeof simulatorOptions>;
/** As it is written: everything may be left out. */
export type SimulatorInput = z.input<typeof simulatorOptions>;
