/** `npm run bench -- sync [part …]`: ours beside its floors in the same run, as ratios. */
import { syncBench } from './sync.ts';

const benches: Record<string, (parts: string[]) => Promise<void>> = { sync: syncBench };

const [name = '', ...parts] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  console.error(`Usage: npm run bench -- <${Object.keys(benches).join('|')}> [part …]`);
  process.exit(2);
}
await bench(parts);
process.exit(0);
