import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { playLoop } from './play-loop.ts';
import { bundleWorkflows, startDevServer } from './temporal.ts';

// Records a loop for the replay test, to be run when a workflow ships in a new shape:
//   node --import tsx test/record-history-main.ts sync-devices-2
const [name] = process.argv.slice(2);
if (name === undefined) throw new TypeError('give the recording a name');
const [environment, bundle] = await Promise.all([startDevServer(), bundleWorkflows()]);
const history = await playLoop(environment, bundle);
const file = fileURLToPath(new URL(`../workflows/fixtures/${name}.json`, import.meta.url));
// Stack traces tell where the recorder's checkout is; a replay does not read them.
const text = JSON.stringify(history, null, 1).replaceAll(process.cwd(), '/app');
writeFileSync(file, text);
await environment.teardown();
console.log(`${file}: ${history.events?.length ?? 0} events`);
