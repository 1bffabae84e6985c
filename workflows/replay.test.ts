import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { playLoop } from '../test/play-loop.ts';
import { bundleWorkflows, failedWorkflowTasks, startDevServer } from '../test/temporal.ts';

// Histories of loops as they ran under earlier code: one that a change of the code cannot replay would
// stop every loop that is alive. Made by `test/record-history-main.ts`.
const folder = fileURLToPath(new URL('./fixtures', import.meta.url));
const recordings = readdirSync(folder).filter((name) => name.endsWith('.json'));

let workflowBundle: WorkflowBundle;

beforeAll(async () => {
  workflowBundle = await bundleWorkflows();
});

test.each(recordings)('%s replays', async (name) => {
  const history = recordingOf(readFileSync(`${folder}/${name}`, 'utf8'));
  await expect(
    Worker.runReplayHistory({ workflowBundle }, history, 'sync/recorded'),
  ).resolves.toBeUndefined();
});

test('a history that another order of calls would make does not replay', async () => {
  const [name] = recordings;
  const text = readFileSync(`${folder}/${name ?? ''}`, 'utf8');
  const swapped = recordingOf(text.replaceAll('walkDevicePages', 'somethingElse'));
  await expect(
    Worker.runReplayHistory({ workflowBundle }, swapped, 'sync/recorded'),
  ).rejects.toThrow(/nondetermin/i);
});

test('a loop recorded just now replays', async () => {
  const environment = await startDevServer();
  try {
    const history = await playLoop(environment, workflowBundle);
    await expect(
      Worker.runReplayHistory({ workflowBundle }, history, 'sync/recorded'),
    ).resolves.toBeUndefined();
    expect(failedWorkflowTasks()).toEqual([]);
  } finally {
    await environment.teardown();
  }
});

function recordingOf(text: string) {
  return proto.temporal.api.history.v1.History.fromObject(
    JSON.parse(text) as Record<string, unknown>,
  );
}
