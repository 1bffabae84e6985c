/** A call that was refused, with what the other side said about it. */
export class RefusedError extends Error {
  readonly status: number;

  constructor(what: string, status: number, body: string) {
    super(`${what} answered ${status}: ${body.slice(0, 500)}`);
    this.name = 'RefusedError';
    this.status = status;
  }
}

export interface Call {
  method?: 'GET' | 'POST' | 'PUT';
  path: string;
  json?: unknown;
  /** A file, with its media type. */
  file?: { type: string; bytes: string | Uint8Array };
}

export interface HttpApi {
  json<T>(call: Call): Promise<T>;
  text(call: Call): Promise<string>;
  bytes(call: Call): Promise<Uint8Array>;
}

/** An HTTP API as any program sees it: addresses, headers, bodies and nothing of our code. */
export function httpApi(baseUrl: string, headers: Record<string, string>): HttpApi {
  async function send({ method = 'GET', path, json, file }: Call): Promise<Response> {
    const body = json === undefined ? file?.bytes : JSON.stringify(json);
    const type = json === undefined ? file?.type : 'application/json';
    const reply = await fetch(`${baseUrl}${path}`, {
      method,
      headers: { ...headers, ...(type !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { body }),
      signal: AbortSignal.timeout(90_000),
    });
    if (reply.ok) return reply;
    throw new RefusedError(`${method} ${path}`, reply.status, await reply.text());
  }
  return {
    json: async <T>(call: Call) => (await (await send(call)).json()) as T,
    text: async (call) => (await send(call)).text(),
    bytes: async (call) => new Uint8Array(await (await send(call)).arrayBuffer()),
  };
}
