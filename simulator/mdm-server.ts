import { ChangeLog } from './fleet/change-log.ts';
import type { Organization } from './organization.ts';
import type { ServerCertificate } from './token/certificate.ts';
import type { ServerToken } from './token/server-token.ts';

export interface DefinedProfile {
  uuid: string;
  definedAt: number;
  /** As it came, but for `devices`. */
  body: Record<string, unknown>;
}

/** An MDM server entry of the portal: what a token speaks for. */
export class MdmServer {
  readonly uuid: string;
  /** Marks its devices; 1 and up, unique in the world. */
  readonly number: number;
  readonly organization: Organization;
  name: string;
  certificate: ServerCertificate;
  /** "Allow this MDM server to release devices". */
  allowRelease = true;
  token: ServerToken | null = null;
  /** Access tokens that a later download has killed. */
  readonly superseded = new Set<string>();
  readonly profiles = new Map<string, DefinedProfile>();
  readonly log = new ChangeLog();
  /** Assignments of a device within a day, where `throttleAfter` is set. */
  readonly assignments = new Map<number, { since: number; count: number }>();
  lastConnectedAt: number | null = null;

  constructor(
    uuid: string,
    number: number,
    organization: Organization,
    name: string,
    certificate: ServerCertificate,
  ) {
    this.uuid = uuid;
    this.number = number;
    this.organization = organization;
    this.name = name;
    this.certificate = certificate;
  }
}
