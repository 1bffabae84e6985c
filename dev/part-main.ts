import { setTimeout as sleep } from 'node:timers/promises';
import { isFree } from './ports.ts';
import { startPostgres } from './postgres.ts';
import { isAlive } from './process-identity.ts';
import { StartError } from './start-error.ts';
import { findTemporalCli, startTemporal } from './temporal.ts';

// Keeps PostgreSQL or Temporal as a process of its own, so that the supervisor can start, stop and
// start again each of them like any other part: part-main.ts <kind> <options as JSON>.

interface Kept {
  pid: number;
  stop(): Promise<void>;
}

const [kind = '', given = '{}'] = process.argv.slice(2);
const options = JSON.parse(given) as { data: string; port: number; uiPort?: number };
const tell = (message: Record<string, unknown>) => process.send?.(message);
const onLog = (line: string) => {
  console.log(line);
};
const onProgress = (text: string) => {
  tell({ type: 'progress', text });
};

let launched: Promise<Kept> | null = null;

process.once('SIGTERM', () => {
  // What is still being fetched or built ends with our process group; a server has its own.
  const stopped = launched?.then((kept) => kept.stop()) ?? Promise.resolve();
  void stopped.catch(() => undefined).then(() => process.exit(0));
});

try {
  if (kind === 'temporal') await findTemporalCli({ onProgress });
  await isPortFree();
  launched = launch();
  const kept = await launched;
  tell({ type: 'ready', value: kept });
  while (isAlive(kept.pid)) await sleep(250);
  process.exit(1);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  tell({ type: 'failed', message, remedy: error instanceof StartError ? error.remedy : '' });
  setImmediate(() => process.exit(1));
}

async function launch(): Promise<Kept> {
  const { data, port, uiPort = 0 } = options;
  switch (kind) {
    case 'postgres':
      return startPostgres({ dataDir: data, port, onLog });
    case 'temporal':
      return startTemporal({ dbFile: data, port, uiPort, onLog });
    default:
      throw new TypeError(`no part is called ${kind}`);
  }
}

/** One that a killed predecessor kept may take a moment to end. */
async function isPortFree(): Promise<void> {
  for (let waited = 0; waited < 15_000 && !(await isFree(options.port)); waited += 100) {
    await sleep(100);
  }
}
