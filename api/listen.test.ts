import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Hono } from 'hono';
import { listen } from './listen.ts';
import { bodyCap } from './middleware/body-cap.ts';
import type { ApiEnv } from './deps.ts';

describe('a body whose length nobody announced', () => {
  let door: Awaited<ReturnType<typeof listen>>;
  beforeAll(async () => {
    const app = new Hono<ApiEnv>()
      .post('/', bodyCap(10), async (c) => c.text(`got ${(await c.req.text()).length}`))
      .onError((error, c) => c.text(error.message, 413));
    door = await listen((request) => app.fetch(request), { port: 0, host: '127.0.0.1' });
  });
  afterAll(() => door.close(0));

  const head = 'POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';
  const send = (raw: string) =>
    new Promise<string>((resolve, reject) => {
      let answer = '';
      const socket = connect(door.port, '127.0.0.1', () => {
        socket.write(raw);
      });
      socket.setEncoding('utf8').on('data', (chunk) => (answer += String(chunk)));
      socket.on('end', () => {
        resolve(answer);
      });
      socket.on('error', reject);
    });

  test('is none at all, as curl -X POST sends it', async () => {
    expect(await send(`${head}\r\n`)).toMatch(/^HTTP\/1.1 200 [^]*got 0$/);
  });

  test('is taken when it comes in chunks and is small', async () => {
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n`;
    expect(await send(chunked)).toMatch(/^HTTP\/1.1 200 [^]*got 7/);
  });

  test('is refused when it grows above the cap', async () => {
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n`;
    expect(await send(chunked)).toMatch(/^HTTP\/1.1 413 [^]*at most 10 bytes/);
  });
});
