import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { clientOf, emptyPage } from './fixtures/clients.ts';
import { startFakeApple, type Answer, type FakeApple } from './fixtures/fake-apple.ts';

const opened: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
});

/** Apple whose device list answers so, and a client that is quick to lose patience. */
async function syncAgainst(answer: Answer, signal?: AbortSignal) {
  const apple: FakeApple = await startFakeApple(({ line }) =>
    line === 'POST /devices/sync' ? answer : undefined,
  );
  opened.push(apple);
  const timeouts = { headersSeconds: 0.3, idleSeconds: 0.3, wholeSeconds: 0.9 };
  const client = clientOf(apple.baseUrl, { timeouts });
  const page = client.syncDevices({
    cursor: 'c',
    limit: 100,
    ...(signal === undefined ? {} : { signal }),
  });
  return { apple, page };
}

const wholePage = JSON.stringify(emptyPage);

describe('no answer', () => {
  test.each<[string, Answer, RegExp]>([
    [
      'a connection that is cut before the answer',
      (response) => {
        response.destroy();
      },
      /closed|reset/,
    ],
    [
      'a connection that is cut within a body of known length',
      (response) => {
        response.writeHead(200, { 'Content-Length': wholePage.length });
        response.write(wholePage.slice(0, 20), () => response.destroy());
      },
      /closed|reset/,
    ],
    [
      'a connection that is cut within a chunked body',
      (response) => {
        response.writeHead(200);
        response.write(wholePage.slice(0, 20), () => response.destroy());
      },
      /closed|reset/,
    ],
    ['silence', () => undefined, /no answer in time|not finished/],
    [
      'a body that stops coming',
      (response) => {
        response.writeHead(200);
        response.write(wholePage.slice(0, 20));
      },
      /stopped coming|not finished/,
    ],
    [
      'a body that comes a byte at a time',
      (response) => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(' '), 50);
        response.on('close', () => {
          clearInterval(drip);
        });
      },
      /not finished after 0.9 s/,
    ],
  ])('%s is unreachable', async (_, answer, detail) => {
    const { apple, page } = await syncAgainst(answer);
    await expect(page).rejects.toMatchObject({
      name: 'AdeError',
      code: 'unreachable',
      status: null,
      endpoint: 'POST /devices/sync',
      detail: expect.stringMatching(detail) as string,
    });
    expect(apple.count('POST /devices/sync')).toBe(1);
  });

  test('a closed port is unreachable', async () => {
    const apple = await startFakeApple(() => undefined);
    await apple.close();
    await expect(clientOf(apple.baseUrl).account()).rejects.toMatchObject({
      code: 'unreachable',
      detail: 'connection refused (ECONNREFUSED)',
    });
  });

  test('something that is not HTTP is unreachable', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      socket.end('SSH-2.0-OpenSSH_9.6\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    opened.push({
      close: () =>
        new Promise((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    });
    const { port } = server.address() as AddressInfo;
    await expect(clientOf(`http://127.0.0.1:${port}`).account()).rejects.toMatchObject({
      code: 'unreachable',
      detail: expect.stringMatching(/does not speak HTTP/) as string,
    });
  });
});

describe('a body without an end', () => {
  /** Writes until nobody listens any more; says how much went out. */
  const endless =
    (status: number, sent: { bytes: number }): Answer =>
    (response) => {
      response.writeHead(status);
      const chunk = Buffer.alloc(256 * 1024, 'x');
      const more = () => {
        while (!response.destroyed && response.write(chunk)) sent.bytes += chunk.length;
      };
      response.on('drain', more).on('error', () => undefined);
      more();
    };

  test('of a page is given up at 64 MiB', async () => {
    const sent = { bytes: 0 };
    const apple = await startFakeApple(({ line }) =>
      line === 'POST /devices/sync' ? endless(200, sent) : undefined,
    );
    opened.push(apple);
    await expect(
      clientOf(apple.baseUrl).syncDevices({ cursor: 'c', limit: 1 }),
    ).rejects.toMatchObject({
      code: 'bad_reply',
      detail: expect.stringMatching(/size/) as string,
    });
  });

  test('of a refusal is read no further than it needs', async () => {
    const sent = { bytes: 0 };
    const { page } = await syncAgainst(endless(503, sent));
    await expect(page).rejects.toMatchObject({ code: 'SERVER_ERROR', status: 503 });
    expect(sent.bytes).toBeLessThan(16 * 1024 * 1024);
  });
});

test('a refusal whose body breaks off still says what its head said', async () => {
  const { page } = await syncAgainst((response) => {
    response.writeHead(503, { 'Content-Length': 1000, 'Retry-After': '9' });
    response.write('half', () => response.destroy());
  });
  await expect(page).rejects.toMatchObject({ code: 'SERVER_ERROR', retryAfterSeconds: 9 });
});

test('a redirect is not followed: the session would go along', async () => {
  const elsewhere = await startFakeApple(() => ({ body: wholePage }));
  opened.push(elsewhere);
  const headers = { Location: `${elsewhere.baseUrl}/devices/sync` };
  const { page } = await syncAgainst({ status: 307, headers });
  await expect(page).rejects.toMatchObject({ code: 'unknown', status: 307 });
  expect(elsewhere.seen).toEqual([]);
});

test('a caller who gives up gets the reason given, at once and before asking', async () => {
  const giveUp = new AbortController();
  const { apple, page } = await syncAgainst(() => undefined, giveUp.signal);
  await expect.poll(() => apple.count('POST /devices/sync')).toBe(1);
  giveUp.abort(new Error('the worker stops'));
  await expect(page).rejects.toThrow('the worker stops');

  const again = await syncAgainst({ body: emptyPage }, giveUp.signal);
  await expect(again.page).rejects.toThrow('the worker stops');
  expect(again.apple.count('POST /devices/sync')).toBe(0);
});

test('requests one after the other share a connection, or two', async () => {
  const ports = new Set<number | undefined>();
  const apple = await startFakeApple(({ line }) =>
    line === 'GET /session'
      ? undefined
      : (response) => {
          ports.add(response.socket?.remotePort);
          response.end(JSON.stringify(emptyPage));
        },
  );
  opened.push(apple);
  const client = clientOf(apple.baseUrl);
  for (let page = 0; page < 20; page += 1) await client.syncDevices({ cursor: 'c', limit: 1 });
  // undici may not yet have noticed that the first is free when the second request comes.
  expect(ports.size).toBeLessThanOrEqual(2);
});
