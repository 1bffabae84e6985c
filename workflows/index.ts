/** What we promise. The one file that the worker bundles. */
export { syncDevices } from './sync-devices.ts';
export { watchLoops } from './watch-loops.ts';
