import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { AdeError } from '../apple/ade/errors.ts';
import type { AdeClient, AdeCode, DevicePage, PageRequest } from '../domain/ade.ts';
import type { SyncPosition } from '../domain/sync.ts';
import { createFakeSyncStore, deviceNamed, type FakeSyncStore } from '../test/fake-sync-store.ts';
import type { WalkInput } from './walk-input.ts';
import { createActivities } from './index.ts';

const fromTheStart: SyncPosition = { phase: 'fetch', cursor: null, walkId: 'walk-1' };
const idle: SyncPosition = { phase: 'sync', cursor: 'delta-0', walkId: null };

const input: WalkInput = {
  integrationId: 'integration-1',
  runId: 'run-1',
  trigger: 'schedule',
  position: null,
  restarted: false,
  failures: 0,
  block: null,
};

test('an idle cycle asks Apple once and ends', async () => {
  const { store, apple, walk } = world(idle);
  apple.answer('delta-0', page('delta-1', [], false));

  const result = await walk();

  expect(result).toMatchObject({ outcome: 'finished', position: { cursor: 'delta-1' } });
  expect(apple.calls).toEqual(['sync delta-0']);
  expect(store.tokenState).toBe('valid');
});

test('a full walk goes on with the delta in the same run', async () => {
  const { store, apple, walk } = world(fromTheStart);
  apple.answer(null, page('a', ['S1', 'S2'], true));
  apple.answer('a', page('b', ['S3'], false));
  apple.answer('b', page('c', ['S4'], false));

  const result = await walk();

  expect(result).toMatchObject({ outcome: 'finished', run: { id: 'run-1', pages: 3, added: 4 } });
  expect(apple.calls).toEqual(['fetch null', 'fetch a', 'sync b']);
  expect(store.log).toEqual(['page a', 'page b', 'finish fetch', 'page c', 'succeeded']);
});

test('while a page is being written the next one is being fetched', async () => {
  const { store, apple, walk } = world(fromTheStart);
  apple.answer(null, page('a', ['S1'], true));
  apple.answer('a', page('b', ['S2'], false));
  apple.answer('b', page('c', [], false));
  const askedBeforeWritten: string[][] = [];
  store.beforePage = async () => {
    askedBeforeWritten.push([...apple.calls]);
  };

  await walk();

  expect(askedBeforeWritten[0]).toEqual(['fetch null', 'fetch a']);
});

test('each committed page is heartbeaten with its cursor and counts', async () => {
  const { apple, walk, beats } = world(fromTheStart);
  apple.answer(null, page('a', ['S1'], true));
  apple.answer('a', page('b', ['S2'], false));
  apple.answer('b', page('c', [], false));

  await walk();

  expect(beats).toMatchObject([
    { cursor: 'a', pages: 1, counts: { added: 1 } },
    { cursor: 'b', pages: 2, counts: { added: 2 } },
    { cursor: 'c', pages: 3, counts: { added: 2 } },
  ]);
});

test('a repeated attempt begins at the stored position, not at the one of its input', async () => {
  const { store, apple, walk } = world(fromTheStart);
  apple.answer(null, page('a', ['S1'], true));
  apple.answer('a', page('b', ['S2'], false));
  apple.answer('b', page('c', [], false));
  let writes = 0;
  store.beforePage = async () => {
    writes += 1;
    if (writes === 2) throw Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' });
  };

  await expect(walk()).rejects.toMatchObject({ type: 'database_unavailable', nonRetryable: false });
  const result = await walk();

  expect(result).toMatchObject({ outcome: 'finished', run: { id: 'run-1', added: 2 } });
  expect(apple.calls.filter((call) => call === 'fetch null').length).toBe(1);
});

test('an attempt that was overtaken writes nothing and is repeated', async () => {
  const { store, apple, walk } = world(idle);
  apple.answer('delta-0', page('delta-1', ['S1'], false));
  store.beforePage = async () => {
    store.position = { ...idle, cursor: 'further' };
  };

  await expect(walk()).rejects.toMatchObject({ type: 'stale_walk', nonRetryable: false });
  expect(store.log).toEqual([]);
});

test('a slice ends after 200 pages with no page fetched in vain', async () => {
  const { apple, walk } = world(fromTheStart);
  for (let at = 0; at < 300; at += 1)
    apple.answer(at === 0 ? null : `c${at}`, page(`c${at + 1}`, [`S${at}`], true));

  const result = await walk();

  expect(result).toMatchObject({ outcome: 'continues', position: { cursor: 'c200' } });
  expect(apple.calls.length).toBe(200);
});

test('a slice ends after a minute', async () => {
  const { apple, walk, clock } = world(fromTheStart);
  for (let at = 0; at < 300; at += 1)
    apple.answer(at === 0 ? null : `c${at}`, page(`c${at + 1}`, [`S${at}`], true));
  apple.onCall = () => {
    clock.ms += 7_000;
  };

  expect(await walk()).toMatchObject({ outcome: 'continues', run: { pages: 9 } });
});

test('a cancellation ends the slice between two pages and drops the answer under way', async () => {
  const { store, apple, walk, environment } = world(fromTheStart);
  apple.answer(null, page('a', ['S1'], true));
  apple.answer('a', 'never');
  store.beforePage = async () => {
    environment.cancel();
  };

  const result = await walk();

  expect(result).toMatchObject({ outcome: 'continues', position: { cursor: 'a' } });
  expect(apple.aborted).toEqual(['fetch a']);
});

test.each<[AdeCode, string, number | null]>([
  ['unreachable', 'apple_unreachable', null],
  ['bad_reply', 'apple_bad_reply', null],
  ['SERVER_ERROR', 'SERVER_ERROR', 30],
  ['TOO_MANY_REQUESTS', 'TOO_MANY_REQUESTS', 120],
])('%s makes the run wait, with a date', async (code, shown, retryAfter) => {
  const { store, apple, walk, clock } = world(idle);
  apple.answer('delta-0', refusal(code, retryAfter));

  const result = await walk({ failures: 2 });

  // 20 s is the third wait in a row, with all of its jitter.
  const until = new Date(clock.ms + (retryAfter ?? 20) * 1000).toISOString();
  expect(result).toMatchObject({
    outcome: 'waiting',
    failures: 3,
    until,
    heldByApple: retryAfter !== null,
    waitingFor: { code: shown },
    run: { state: 'waiting', nextAttemptAt: until },
  });
  expect(store.position).toEqual(idle);
});

test('an expired cursor starts a new full walk in the same run, once', async () => {
  const { store, apple, walk } = world(idle);
  apple.answer('delta-0', refusal('EXPIRED_CURSOR'));
  apple.answer(null, page('a', ['S1'], false));
  apple.answer('a', refusal('EXPIRED_CURSOR'));

  const result = await walk();

  expect(result).toMatchObject({
    outcome: 'failed',
    run: { id: 'run-1', error: { code: 'apple_cursor_stuck' } },
  });
  expect(store.log).toEqual([
    'restart fetch',
    'page a',
    'finish fetch',
    'failed apple_cursor_stuck',
  ]);
});

test('a cursor that Apple repeats with more to follow ends the run and is kept', async () => {
  const { store, apple, walk } = world(idle);
  apple.answer('delta-0', page('delta-0', ['S1'], true));

  expect(await walk()).toMatchObject({
    outcome: 'failed',
    run: { error: { code: 'apple_cursor_stuck' } },
  });
  expect(store.position.cursor).toBe('delta-0');
  expect(store.seen.has('S1')).toBe(true);
});

test.each<[string, SyncPosition, string[]]>([
  ['a full fetch', fromTheStart, ['fetch null', 'fetch a', 'fetch b']],
  ['a delta', { ...idle, cursor: 'b' }, ['sync b', 'sync a']],
])('%s that Apple leads in a circle ends, and keeps its pages', async (_, position, calls) => {
  const { store, apple, walk } = world(position);
  apple.answer(null, page('a', ['S1'], true));
  apple.answer('a', page('b', ['S2'], true));
  apple.answer('b', page('a', ['S3'], true));

  expect(await walk()).toMatchObject({
    outcome: 'failed',
    run: { error: { code: 'apple_cursor_stuck' } },
  });
  expect(apple.calls).toEqual(calls);
  expect(store.seen.has('S3')).toBe(true);
});

test.each<[AdeCode, string, string]>([
  ['T_C_NOT_SIGNED', 'terms_not_signed', 'terms_not_signed'],
  ['ACCESS_DENIED', 'token_rejected', 'rejected'],
])('%s blocks, ends the run and marks the token', async (code, block, tokenState) => {
  const { store, apple, walk } = world(idle);
  apple.answer('delta-0', refusal(code));

  expect(await walk()).toMatchObject({
    outcome: 'blocked',
    block,
    run: { state: 'failed', error: { code: block } },
  });
  expect(store.tokenState).toBe(tokenState);
});

test('a probe that meets the same block again leaves no run behind', async () => {
  const { store, apple, walk } = world(idle);
  apple.answer('delta-0', refusal('T_C_NOT_SIGNED'));

  expect(await walk({ block: 'terms_not_signed' })).toMatchObject({
    outcome: 'blocked',
    run: null,
  });
  expect(store.log).toEqual([]);
});

test('what Postgres says of a blocked or deleted integration is the answer, and Apple is left alone', async () => {
  const { store, apple, walk } = world(idle);
  store.instead = { outcome: 'blocked', block: 'paused', tokenExpiresAt: null };
  expect(await walk()).toMatchObject({ outcome: 'blocked', block: 'paused', run: null });
  store.instead = { outcome: 'gone' };
  expect(await walk()).toEqual({ outcome: 'gone' });
  expect(apple.calls).toEqual([]);
});

test('a fault of our own is tried five times and then ends the run with its code and no secret', async () => {
  const { store, apple, walk } = world(idle);
  const marker = 'MARKER-OF-A-SECRET';
  apple.answer('delta-0', page('delta-1', ['S1'], false));
  store.beforePage = async () => {
    throw Object.assign(new Error(marker), { code: '22P05', parameters: [marker] });
  };

  for (const attempt of [1, 2, 3, 4])
    await expect(walk({}, attempt)).rejects.toMatchObject({
      type: 'internal_error',
      nonRetryable: false,
    });
  expect(store.log).toEqual([]);

  const result = await walk({}, 5);
  expect(result).toMatchObject({
    outcome: 'failed',
    position: idle,
    run: { state: 'failed', error: { code: 'internal_error' } },
  });
  expect(JSON.stringify(result)).not.toContain(marker);
  expect(store.log).toEqual(['failed internal_error']);
});

test('a key that opens no token ends the run in the same way', async () => {
  const { store, apple, walk } = world(idle);
  apple.onCall = () => {
    throw new Error('A secret is sealed under the key k1, which is not at hand.');
  };

  expect(await walk({}, 5)).toMatchObject({
    outcome: 'failed',
    run: { error: { code: 'internal_error' } },
  });
  expect(store.log).toEqual(['failed internal_error']);
});

test('a database that is away never ends the run', async () => {
  const { store, apple, walk } = world(idle);
  apple.answer('delta-0', page('delta-1', ['S1'], false));
  store.beforePage = async () => {
    throw Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
  };

  await expect(walk({}, 500)).rejects.toMatchObject({
    type: 'database_unavailable',
    nonRetryable: false,
  });
  expect(store.log).toEqual([]);
});

test('a fault that keeps even the end of the run from being written ends the tries', async () => {
  const { store, walk } = world(idle);
  store.begin = async () => {
    throw new TypeError('broken');
  };

  await expect(walk({}, 4)).rejects.toMatchObject({ nonRetryable: false });
  await expect(walk({}, 5)).rejects.toMatchObject({ type: 'internal_error', nonRetryable: true });
});

function world(position: SyncPosition) {
  const store: FakeSyncStore = createFakeSyncStore(position);
  const apple = createFakeApple();
  const clock = { ms: Date.parse('2026-01-01T00:00:00.000Z') };
  const options = { logger: new DefaultLogger('ERROR') };
  const environment = new MockActivityEnvironment({}, options);
  const beats: unknown[] = [];
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  const { walkDevicePages } = createActivities({
    sync: store,
    ade: () => apple.client,
    now: () => new Date(clock.ms),
    random: () => 1,
    logger: pino({ level: 'silent' }),
    integrations: { listIds: async () => [] },
    startLoop: async () => undefined,
  });
  const walk = (change: Partial<WalkInput> = {}, attempt = 1) => {
    const place = attempt === 1 ? environment : new MockActivityEnvironment({ attempt }, options);
    return place.run(walkDevicePages, { ...input, ...change });
  };
  return { store, apple, clock, environment, beats, walk };
}

type Answer = DevicePage | AdeError | 'never';

/** Apple's list as a table: cursor asked for, answer. */
function createFakeApple() {
  const answers = new Map<string | null, Answer>();
  const calls: string[] = [];
  const aborted: string[] = [];
  const fake = {
    calls,
    aborted,
    onCall: () => {
      // A test may let time pass here.
    },
    answer: (cursor: string | null, answer: Answer) => answers.set(cursor, answer),
  };
  const ask = (kind: string) => async (request: PageRequest) => {
    const call = `${kind} ${String(request.cursor)}`;
    calls.push(call);
    fake.onCall();
    const answer = answers.get(request.cursor);
    if (answer === undefined) throw new TypeError(`no answer for ${call}`);
    if (answer instanceof AdeError) throw answer;
    if (answer !== 'never') return answer;
    return new Promise<DevicePage>((_, reject) => {
      request.signal?.addEventListener('abort', () => {
        aborted.push(call);
        reject(new Error('aborted'));
      });
    });
  };
  const client = { fetchDevices: ask('fetch'), syncDevices: ask('sync') } as unknown as AdeClient;
  return Object.assign(fake, { client });
}

function page(cursor: string, serials: string[], moreToFollow: boolean): DevicePage {
  return { cursor, devices: serials.map(deviceNamed), fetchedUntil: null, moreToFollow };
}

function refusal(code: AdeCode, retryAfterSeconds: number | null = null): AdeError {
  return new AdeError(code, {
    endpoint: 'POST /devices/sync',
    status: 403,
    retryAfterSeconds,
    detail: '',
  });
}
