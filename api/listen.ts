import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';

type Fetch = Parameters<typeof getRequestListener>[0];

/** A door that cannot be opened, with what to do about it. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Opens the HTTP door; answers once it is open. Port 0 takes a free one. */
export async function listen(
  fetch: Fetch,
  { port, host }: { port: number; host: string },
): Promise<{ port: number; close: (graceMs: number) => Promise<void> }> {
  const server = createServer(
    // Headers and body must be there within a minute; an answer may take as long (`?wait=60`).
    { headersTimeout: 20_000, requestTimeout: 60_000, keepAliveTimeout: 65_000 },
    getRequestListener(fetch) as Parameters<typeof createServer>[1],
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new ListenError(advice(error, host, port), { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async (graceMs) => close(server, graceMs),
  };
}

/** Lets running requests end, for so long, and takes no new ones. */
async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  // A connection whose last answer has just gone out is idle only from then on.
  const sweeping = setInterval(() => {
    server.closeIdleConnections();
  }, 50);
  const timer = setTimeout(() => {
    server.closeAllConnections();
  }, graceMs);
  await closed;
  clearInterval(sweeping);
  clearTimeout(timer);
}

function advice({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is in use. Stop what listens there, or set PORT to another one.`;
  if (code === 'EACCES')
    return `This user may not listen on port ${port}. Set PORT to one above 1023.`;
  if (code === 'EADDRNOTAVAIL') return `${host} is no address of this machine. Correct HOST.`;
  return `Cannot listen on ${host}:${port}: ${message}`;
}
