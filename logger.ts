import { pino, stdSerializers, type DestinationStream, type Logger } from 'pino';

export type { Logger };

const secret = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'accessToken',
  'accessSecret',
  'consumerKey',
  'consumerSecret',
  'privateKey',
  'privateKeyPem',
  'encryptionKey',
  'apiKey',
  'session',
  '["x-adm-auth-session"]',
];

/**
 * One JSON line an event on stdout. What looks like a secret by its name is struck out, down to three
 * levels; it is a second net, the first is that nobody logs one.
 */
export function createLogger(
  options: { name: string; level: string },
  destination?: DestinationStream,
): Logger {
  const settings = {
    ...options,
    redact: { paths: secret.flatMap(atThreeLevels), censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
  };
  return destination === undefined ? pino(settings) : pino(settings, destination);
}

function atThreeLevels(name: string): string[] {
  const dot = name.startsWith('[') ? '' : '.';
  return [name, `*${dot}${name}`, `*.*${dot}${name}`];
}

/** A failed query carries its parameters in message and fields: of those only the reason is told. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const isQuery = 'query' in error || 'params' in error || 'parameters' in error;
  const { stack } = stdSerializers.err(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const wrapsQuery = isQuery && error.cause instanceof Error;
  return {
    type: error.name,
    message: wrapsQuery ? 'a query failed' : error.message,
    ...(code === undefined ? {} : { code }),
    ...(wrapsQuery ? {} : { stack }),
    ...(error.cause === undefined || depth > 3
      ? {}
      : { cause: describeError(error.cause, depth + 1) }),
  };
}
