/** The five facts in Apple's server token file. All but the expiry are secrets. */
export interface ServerToken {
  consumerKey: string;
  consumerSecret: string;
  accessToken: string;
  accessSecret: string;
  /** ISO 8601 UTC. */
  expiresAt: string;
}

/** What `GET /account` says about the MDM server entry that a token belongs to, and its organization. */
export interface AdeAccount {
  serverName: string | null;
  serverUuid: string;
  adminId: string | null;
  organization: Organization;
  orgIdHash: string | null;
  /** Advertised in `urls[]`; null when Apple advertised none. */
  fetchLimit: number | null;
  syncLimit: number | null;
}

export interface Organization {
  name: string | null;
  id: string | null;
  email: string | null;
  phone: string | null;
  address: string | null;
  type: string | null;
  version: string | null;
}
