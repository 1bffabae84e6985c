import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { isAlive } from './process-identity.ts';
import { createSupervisor, type PartSpec, type Supervisor } from './supervisor.ts';

const running: Supervisor[] = [];

afterEach(() => {
  for (const supervisor of running.splice(0)) supervisor.killAll();
});

test('a part that ends on SIGTERM is stopped politely', async () => {
  const { supervisor } = supervise();
  await supervisor.start(part('polite'));
  const pid = supervisor.pids()['polite']!;

  await supervisor.stop(['polite']);

  expect(isAlive(pid)).toBe(false);
});

test('a part that ignores SIGTERM is killed after its grace', async () => {
  const { supervisor } = supervise();
  await supervisor.start({ ...part('stubborn'), graceSeconds: 0.2 });
  const pid = supervisor.pids()['stubborn']!;

  await supervisor.stop(['stubborn']);

  expect(isAlive(pid)).toBe(false);
});

test('a part that dies is started again, and so on after each death', async () => {
  const { supervisor, said } = supervise();
  await supervisor.start(part('polite'));

  for (const round of [1, 2]) {
    const pid = supervisor.pids()['polite']!;
    process.kill(pid, 'SIGKILL');
    await until(() => supervisor.pids()['polite'] !== pid);
    await until(() => said.filter((text) => text.startsWith('runs again')).length === round);
  }

  expect(said.filter((text) => text.startsWith('ended with signal SIGKILL'))).toHaveLength(2);
});

test('a part that dies again and again is given up', async () => {
  const { supervisor, gaveUp } = supervise();

  await supervisor.start(part('short-lived'));
  await until(() => gaveUp.length > 0);

  expect(gaveUp).toEqual(['short-lived: it ended 3 times within 60 s, last with code 4']);
  expect(supervisor.pids()).toEqual({});
});

test('a part that fails before it is ready says why and what to do', async () => {
  const { supervisor } = supervise();

  await expect(supervisor.start(part('failing'))).rejects.toMatchObject({
    message: 'the disk is full',
    remedy: 'Free some space.',
  });
});

test('a part that is never ready is not waited for without end', async () => {
  const { supervisor } = supervise();

  await expect(supervisor.start({ ...part('silent'), startSeconds: 0.3 })).rejects.toThrow(
    'it was not ready after 0.3 s',
  );
});

test('what a killed part had started is ended before the part is started again', async () => {
  const { supervisor } = supervise();
  const { child } = (await supervisor.start(part('parent'))) as { child: number };
  const pid = supervisor.pids()['parent']!;

  process.kill(pid, 'SIGKILL');
  await until(() => supervisor.pids()['parent'] !== pid);

  expect(isAlive(child)).toBe(false);
});

test('nothing is started once the supervisor is closed', async () => {
  const { supervisor } = supervise();
  supervisor.close();

  await expect(supervisor.start(part('polite'))).rejects.toThrow('being stopped');
});

function supervise() {
  const said: string[] = [];
  const gaveUp: string[] = [];
  const supervisor = createSupervisor({
    say: (_name, text) => said.push(text),
    onGiveUp: (name, reason) => gaveUp.push(`${name}: ${reason}`),
    firstPauseMs: 20,
    maxDeaths: 3,
  });
  running.push(supervisor);
  return { supervisor, said, gaveUp };
}

function part(habit: string): PartSpec {
  return {
    name: habit,
    args: ['--import', 'tsx', new URL('./fixtures/part.ts', import.meta.url).pathname, habit],
    env: { PATH: process.env['PATH'] },
    ready: 'message',
    startSeconds: 20,
    graceSeconds: 10,
    onLine: () => undefined,
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}
