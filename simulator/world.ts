import { randomBytes, randomUUID } from 'node:crypto';
import { SimulatedClock } from './clock.ts';
import { Faults } from './faults/faults.ts';
import type { Witness } from './fleet/fleet.ts';
import { MdmServer } from './mdm-server.ts';
import type { SimulatorOptions } from './options.ts';
import { Organization } from './organization.ts';
import { Random } from './random.ts';
import { Sessions } from './ade/sessions.ts';
import { Statistics } from './statistics.ts';
import type { ServerCertificate } from './token/certificate.ts';
import { mintToken, type ServerToken } from './token/server-token.ts';

const YEAR_SECONDS = 365 * 24 * 3600;

/** 32 upper-case hex digits, as Apple writes server and profile ids. */
export function appleUuid(): string {
  return randomUUID().replaceAll('-', '').toUpperCase();
}

/** All of Apple's side: organizations with their fleets, server entries, tokens, and one clock. */
export class World {
  readonly options: SimulatorOptions;
  readonly clock: SimulatedClock;
  readonly random: Random;
  readonly organizations: Organization[];
  readonly servers = new Map<string, MdmServer>();
  readonly sessions = new Sessions();
  readonly faults: Faults;
  readonly statistics = new Statistics();
  /** Signs cursors, so that one that was made up is told from a real one. */
  cursorKey = randomBytes(32);
  /** Called after every change that a restart should not lose. */
  onChange: () => void = () => undefined;
  readonly #byNumber: MdmServer[] = [];

  constructor(options: SimulatorOptions, wall: () => number = Date.now) {
    this.options = options;
    this.clock = new SimulatedClock(wall);
    this.random = new Random(options.seed);
    this.faults = new Faults(this.random);
    const witness: Witness = (number, device, operation, at, state) => {
      this.#byNumber[number]?.log.append({ device, operation, at, state });
    };
    this.organizations = Array.from(
      { length: options.organizations },
      (_, number) => new Organization(options.seed, number, options.devices, witness),
    );
  }

  addServer(
    organization: Organization,
    name: string,
    certificate: ServerCertificate,
    uuid = appleUuid(),
    number = Math.max(1, this.#byNumber.length),
  ): MdmServer {
    const server = new MdmServer(uuid, number, organization, name, certificate);
    this.#byNumber[number] = server;
    this.servers.set(uuid, server);
    this.onChange();
    return server;
  }

  /** The number is never used again: devices that still carry it would change hands. */
  removeServer(server: MdmServer): void {
    this.servers.delete(server.uuid);
    this.sessions.endAll(server.uuid);
    for (const [family, uuid] of server.organization.defaults) {
      if (uuid === server.uuid) server.organization.defaults.delete(family);
    }
    this.onChange();
  }

  serverByNumber(number: number): MdmServer | undefined {
    const server = this.#byNumber[number];
    return server !== undefined && this.servers.has(server.uuid) ? server : undefined;
  }

  /** "Download token": from this moment the one before it is dead, used or not. */
  downloadToken(server: MdmServer, admin: string, expiresAt?: number): ServerToken {
    const now = this.clock.ms();
    const expiry = expiresAt ?? this.clock.seconds() + YEAR_SECONDS;
    const token = mintToken(admin, now, expiry, server.token);
    if (server.token !== null) server.superseded.add(server.token.accessToken);
    server.token = token;
    this.sessions.endAll(server.uuid);
    this.onChange();
    return token;
  }
}
