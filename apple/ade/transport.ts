import { Agent, request as send } from 'undici';

export interface Timeouts {
  /** From the request to the head of the answer. */
  headersSeconds: number;
  /** Between two parts of the body. */
  idleSeconds: number;
  /** From the start to the last byte. */
  wholeSeconds: number;
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body: string | null;
  timeouts: Timeouts;
  signal: AbortSignal | undefined;
}

export interface HttpReply {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string | string[] | undefined>;
  body: string;
  /** The body was longer than we read, or a refusal's body broke off. */
  isCut: boolean;
}

/**
 * One HTTP exchange. Throws `NoAnswerError` when there was no whole answer, and the signal's reason
 * when the caller gave up.
 */
export type Transport = (request: HttpRequest) => Promise<HttpReply>;

/** No answer: no connection, a time-out, a connection that broke. The message is for people. */
export class NoAnswerError extends Error {
  constructor(reason: string, cause?: unknown) {
    super(reason, cause === undefined ? undefined : { cause });
    this.name = 'NoAnswerError';
  }
}

const mebibyte = 1024 * 1024;
/** A page of 1000 devices is about half a MiB. */
const largestAnswer = 64 * mebibyte;
const largestRefusal = 64 * 1024;

const connectSeconds = 10;

/** HTTP with keep-alive. Redirects are not followed: the session would go along. */
function createTransport(): Transport {
  const agent = new Agent({ connect: { timeout: connectSeconds * 1000 } });
  return async (request) => {
    request.signal?.throwIfAborted();
    const { wholeSeconds, headersSeconds, idleSeconds } = request.timeouts;
    // AbortSignal.any would keep hold of a signal that lives as long as an activity does.
    const abort = new AbortController();
    const onAbort = () => {
      abort.abort(request.signal?.reason);
    };
    const timer = setTimeout(() => {
      abort.abort(new NoAnswerError(`not finished after ${wholeSeconds} s`));
    }, wholeSeconds * 1000);
    request.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const { statusCode, headers, body } = await send(request.url, {
        dispatcher: agent,
        method: request.method,
        headers: request.headers,
        body: request.body,
        signal: abort.signal,
        headersTimeout: headersSeconds * 1000,
        bodyTimeout: idleSeconds * 1000,
      });
      const isSuccess = statusCode >= 200 && statusCode < 300;
      const read = await readBody(body, isSuccess ? largestAnswer : largestRefusal, isSuccess);
      return { status: statusCode, headers, ...read };
    } catch (error) {
      request.signal?.throwIfAborted();
      if (error instanceof NoAnswerError) throw error;
      throw new NoAnswerError(reasonOf(error), error);
    } finally {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
    }
  };
}

let shared: Transport | undefined;

/** The pool of this process, made at first use; idle connections keep no process alive. */
export function sharedTransport(): Transport {
  return (shared ??= createTransport());
}

async function readBody(
  body: AsyncIterable<Buffer>,
  cap: number,
  mustBeWhole: boolean,
): Promise<Pick<HttpReply, 'body' | 'isCut'>> {
  const chunks: Buffer[] = [];
  let size = 0;
  let isCut = false;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > cap) {
        isCut = true;
        break; // which destroys the stream, and the connection with it
      }
    }
  } catch (error) {
    // Of a refusal, status and the first words are worth more than the news that the rest is missing.
    if (mustBeWhole) throw error;
    isCut = true;
  }
  return { body: Buffer.concat(chunks).toString('utf8', 0, Math.min(size, cap)), isCut };
}

const reasons: Partial<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'name server out of reach',
  UND_ERR_SOCKET: 'connection closed before the answer was whole',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped coming',
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the connection failed';
  // undici knows the parser's code only when it was the parser's idea to stop.
  if (error.name === 'HTTPParserError') return 'what answers does not speak HTTP';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  const reason = reasons[code];
  return reason === undefined ? code : `${reason} (${code})`;
}
