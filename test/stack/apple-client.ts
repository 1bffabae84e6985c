import type { WireDevice } from '../../apple/ade/wire.ts';

export interface AppleStats {
  endpoints: Record<string, { calls: number }>;
  devicesServed: number;
  maxConcurrent: number;
}

export interface FaultRequest {
  name: string;
  endpoints?: string[];
  server?: string;
  count?: number;
  skip?: number;
  probability?: number;
  params?: Record<string, unknown>;
}

/** Apple's side: the ABM portal as an admin uses it, and what only a test can do to Apple. */
export interface Apple {
  url: string;
  /** Creates an MDM server entry from our certificate; returns its uuid. */
  createServer(input: {
    name: string;
    certificate: string;
    assignAll?: boolean;
    organization?: string;
  }): Promise<string>;
  replaceCertificate(server: string, certificate: string): Promise<void>;
  /** Downloads a server token, which kills the one before. */
  downloadToken(
    server: string,
    options?: { expiresAt?: string; package?: Record<string, unknown> },
  ): Promise<Uint8Array<ArrayBuffer>>;
  portal<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  control<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  fault(fault: FaultRequest): Promise<{ id: number }>;
  clearFaults(): Promise<void>;
  churn(server: string, count: number): Promise<void>;
  truth(server: string): Promise<WireDevice[]>;
  stats(): Promise<AppleStats>;
}

export function createApple(url: string): Apple {
  async function send(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (response.ok) return response;
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  }
  async function json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = await (await send(method, path, body)).text();
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
  const portal = <T>(method: string, path: string, body?: unknown) =>
    json<T>(method, `/portal/api${path}`, body);
  const control = <T>(method: string, path: string, body?: unknown) =>
    json<T>(method, `/control${path}`, body);

  return {
    url,
    portal,
    control,
    createServer: async (input) =>
      (await portal<{ uuid: string }>('POST', '/servers', { assignAll: true, ...input })).uuid,
    replaceCertificate: (server, certificate) =>
      portal('PUT', `/servers/${server}/certificate`, { certificate }),
    downloadToken: async (server, options = {}) => {
      const file = await send('POST', `/portal/api/servers/${server}/token`, options);
      return new Uint8Array(await file.arrayBuffer());
    },
    fault: (fault) => control('POST', '/faults', fault),
    clearFaults: () => control('DELETE', '/faults'),
    churn: (server, count) => portal('POST', `/servers/${server}/churn`, { count }),
    truth: async (server) => {
      const lines = await (await send('GET', `/control/truth?server=${server}`)).text();
      return lines
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as WireDevice);
    },
    stats: () => control('GET', '/stats'),
  };
}
