import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';

type TemporalConfig = Pick<
  Config,
  | 'TEMPORAL_ADDRESS'
  | 'TEMPORAL_API_KEY'
  | 'TEMPORAL_TLS'
  | 'TEMPORAL_TLS_CERT_FILE'
  | 'TEMPORAL_TLS_KEY_FILE'
  | 'TEMPORAL_TLS_CA_FILE'
  | 'TEMPORAL_TLS_SERVER_NAME'
>;

/**
 * How to reach Temporal, for client and worker alike: plain, TLS, mutual TLS, or an API key (which
 * needs TLS, so it brings it along unless `TEMPORAL_TLS` says no). Throws when a file cannot be read.
 */
export function temporalConnectionOptions(config: TemporalConfig) {
  const certificate = read(config.TEMPORAL_TLS_CERT_FILE);
  const key = read(config.TEMPORAL_TLS_KEY_FILE);
  const ca = read(config.TEMPORAL_TLS_CA_FILE);
  const serverName = config.TEMPORAL_TLS_SERVER_NAME;
  const apiKey = config.TEMPORAL_API_KEY;
  const asked = [certificate, key, ca, serverName, apiKey].some((value) => value !== undefined);
  const tls = {
    ...(certificate !== undefined && key !== undefined
      ? { clientCertPair: { crt: certificate, key } }
      : {}),
    ...(ca === undefined ? {} : { serverRootCACertificate: ca }),
    ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
  };
  return {
    address: config.TEMPORAL_ADDRESS,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...((config.TEMPORAL_TLS ?? asked) ? { tls } : {}),
  };
}

const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
