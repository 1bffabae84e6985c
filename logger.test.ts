import { expect, test } from 'vitest';
import { createLogger } from './logger.ts';

const marker = 'MARKER-OF-A-SECRET';

function linesOf(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger({ name: 'test', level: 'info' }, { write: (line) => void lines.push(line) }));
  return lines.join('');
}

test('a field that is named like a secret is struck out, two objects deep', () => {
  const text = linesOf((logger) => {
    logger.info({ token: marker, headers: { authorization: marker } }, 'a');
    logger.info({ request: { headers: { 'x-adm-auth-session': marker, cookie: marker } } }, 'b');
  });
  expect(text).toContain('[redacted]');
  expect(text).not.toContain(marker);
});

test('a failed query tells its reason and not its parameters', () => {
  const reason = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
  const failed = Object.assign(new Error(`Failed query: select $1 params: ${marker}`), {
    query: 'select $1',
    params: [marker],
    cause: reason,
  });
  const text = linesOf((logger) => {
    logger.error({ err: failed }, 'it failed');
  });
  expect(text).toContain('ECONNREFUSED');
  expect(text).not.toContain(marker);
});
