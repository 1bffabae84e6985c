import type { SyncRun } from '../../domain/sync.ts';

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** The admin API as another program sees it. */
export interface Api {
  url: string;
  key: string;
  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<T>>;
  /** As `call`, for a path that must succeed. */
  get<T = Record<string, unknown>>(path: string): Promise<T>;
  post<T = Record<string, unknown>>(path: string, body?: unknown): Promise<T>;
  /** Every item of a list, page by page. */
  all<T>(path: string): Promise<T[]>;
  /** Sync Now, until its end. */
  sync(integrationId: string, mode?: 'delta' | 'full', waitSeconds?: number): Promise<SyncRun>;
}

export function createApi(url: string, key: string): Api {
  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const answer = { status: response.status, headers: response.headers };
    return { ...answer, body: (isJson && text !== '' ? JSON.parse(text) : text) as T };
  }

  async function succeed<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await call<T>(method, path, body);
    if (answer.status < 300) return answer.body;
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  const get = <T>(path: string) => succeed<T>('GET', path);

  return {
    url,
    key,
    call,
    get,
    post: (path, body) => succeed('POST', path, body),
    all: async <T>(path: string) => {
      const items: T[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const address = new URL(path, 'http://x');
        address.searchParams.set('limit', '1000');
        if (cursor !== '') address.searchParams.set('cursor', cursor);
        const page = await get<{ items: T[]; nextCursor: string | null }>(
          `${address.pathname}${address.search}`,
        );
        items.push(...page.items);
        cursor = page.nextCursor;
      }
      return items;
    },
    sync: async (integrationId, mode = 'delta', waitSeconds = 300) => {
      const until = Date.now() + waitSeconds * 1000;
      const { operation } = await succeed<{ operation: { id: string } }>(
        'POST',
        `/api/v1/integrations/${integrationId}/sync?wait=60`,
        { mode },
      );
      for (;;) {
        const { operation: found } = await get<{ operation: { state: string; run: SyncRun } }>(
          `/api/v1/operations/${operation.id}?wait=30`,
        );
        if (['succeeded', 'failed', 'cancelled'].includes(found.state)) return found.run;
        if (Date.now() > until) throw new Error(`still ${found.state} after ${waitSeconds} s`);
      }
    },
  };
}
