import { hostname } from 'node:os';
import { Connection } from '@temporalio/client';
import { loadConfig } from './config.ts';
import { temporalConnectionOptions } from './temporal-connection.ts';
import { taskQueue } from './workflows/contract.ts';

/** The health check of a worker's container: 0 when Temporal has heard this host poll lately. */

/** A poll is held open for a minute before the next one is counted. */
const latelyMs = 150_000;

const config = loadConfig(process.env);
const connection = await Connection.connect({
  ...temporalConnectionOptions(config),
  connectTimeout: '5 seconds',
});
const { pollers } = await connection.workflowService.describeTaskQueue({
  namespace: config.TEMPORAL_NAMESPACE,
  taskQueue: { name: taskQueue },
});
const polls = pollers.some(
  ({ identity, lastAccessTime }) =>
    identity?.endsWith(`@${hostname()}`) === true &&
    Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1000 < latelyMs,
);
await connection.close();
if (!polls) console.error(`No worker on ${hostname()} polls ${taskQueue}.`);
process.exit(polls ? 0 : 1);
