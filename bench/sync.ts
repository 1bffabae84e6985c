import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { pageStatement } from '../db/stores/page-statement.ts';
import type { SyncRun } from '../domain/sync.ts';
import { connect, type Connected } from '../test/stack/connect.ts';
import { startStack, type Stack, type StackOptions } from '../test/stack/stack.ts';
import { syncStatusQuery, syncWorkflowId, wakeSignal } from '../workflows/contract.ts';
import type { SyncStatus } from '../workflows/contract.ts';
import { bareCopy, bareFetch } from './floors.ts';
import { listBench } from './lists.ts';
import { explainFrom, explainSettings, planCollector } from './plan.ts';
import { atMost, ratio, report, seconds } from './report.ts';

type Part = () => Promise<void>;

const parts: Record<string, Part> = {
  full: () => withStack(300_000, fullSync),
  latency: () => withStack(30_000, slowApple),
  idle: () => withStack(30_000, idleCycle),
  delta: () => deltaAmong(300_000),
  memory: flatMemory,
  lists: () => withStack(500_000, listsAtSize),
};

/** The sync's figures; all of them, or the named parts. */
export async function syncBench(names: string[]): Promise<void> {
  const unknown = names.filter((name) => parts[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`no part ${unknown.join(', ')}; there are: ${Object.keys(parts).join(', ')}`);
  for (const [name, part] of Object.entries(parts))
    if (names.length === 0 || names.includes(name)) await part();
}

async function withStack(
  devices: number,
  measure: (stack: Stack) => Promise<void>,
  options: StackOptions = {},
): Promise<void> {
  const stack = await startStack({ devices, durable: true, logLevel: 'warn', ...options });
  try {
    await measure(stack);
  } finally {
    await stack.stop();
  }
}

/** From the token to the end of the first full walk. */
async function firstSync(
  stack: Stack,
  pageSize: number,
): Promise<{ fleet: Connected; run: SyncRun; ms: number }> {
  const fleet = await connect(stack, { pageSize });
  for (;;) {
    const runs = await stack.api.all<SyncRun>(
      `/api/v1/integrations/${fleet.integrationId}/sync-runs`,
    );
    const run = runs.at(-1);
    if (run?.state === 'failed') throw new Error(JSON.stringify(run.error));
    if (run?.finishedAt != null && run.startedAt !== null)
      return { fleet, run, ms: Date.parse(run.finishedAt) - Date.parse(run.startedAt) };
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function fullSync(stack: Stack): Promise<void> {
  const { fleet, run, ms } = await firstSync(stack, 1000);
  const fetched = await bareFetch(stack, fleet.integrationId, 1000);
  const copied = await bareCopy(stack, fleet.integrationId);
  report(`Full sync of ${run.added} devices, 1000 a page, no latency`, {
    ours: seconds(ms),
    'floor A, bare fetch and parse': seconds(fetched),
    'floor B, COPY of the same rows': seconds(copied),
    'ours / (A + B)': ratio(ms / (fetched + copied), 2),
  });
}

async function slowApple(stack: Stack): Promise<void> {
  await stack.apple.fault({ name: 'slow', endpoints: ['fetch', 'sync'], params: { delayMs: 100 } });
  const { fleet, run, ms } = await firstSync(stack, 100);
  const fetched = await bareFetch(stack, fleet.integrationId, 100);
  report(`Full sync of ${run.added} devices, 100 a page, 100 ms a page`, {
    ours: seconds(ms),
    'floor A, bare fetch and parse': seconds(fetched),
    'ours / A': ratio(ms / fetched, 1.1),
  });
}

async function idleCycle(stack: Stack): Promise<void> {
  const { fleet } = await firstSync(stack, 1000);
  const connection = await Connection.connect({ address: stack.temporalAddress });
  const loop = new Client({ connection }).workflow.getHandle(syncWorkflowId(fleet.integrationId));
  const sql = postgres(stack.databaseUrl, { max: 1 });
  await untilIdle();
  const before = { events: await events(), rows: await rowsWritten() };
  await stack.apple.control('DELETE', '/stats');

  // What the timer does every five minutes, now; the signal is one event more than the timer's two.
  await loop.signal(wakeSignal);
  while ((await stack.apple.stats()).endpoints['sync'] === undefined) await pause(50);
  await untilIdle();

  const { endpoints } = await stack.apple.stats();
  const calls = Object.values(endpoints).reduce((sum, one) => sum + one.calls, 0);
  const rows = Object.entries(await rowsWritten()).flatMap(([table, count]) =>
    count > (before.rows[table] ?? 0) ? [`${table}: ${count - (before.rows[table] ?? 0)}`] : [],
  );
  report('An idle delta cycle', {
    'Apple calls': atMost(calls, 1),
    'history events': atMost((await events()) - before.events, 15),
    'rows written': rows.length === 0 ? 'none' : rows.join(', '),
  });
  await sql.end();
  await connection.close();

  async function events(): Promise<number> {
    return (await loop.describe()).historyLength;
  }
  async function untilIdle(): Promise<void> {
    while ((await loop.query<SyncStatus>(syncStatusQuery)).phase !== 'idle') await pause(50);
    await statisticsSettle();
  }
  async function rowsWritten(): Promise<Record<string, number>> {
    const rows = await sql<{ relname: string; written: string }[]>`
      select relname, n_tup_ins + n_tup_upd + n_tup_del as written from pg_stat_user_tables`;
    return Object.fromEntries(rows.map((row) => [row.relname, Number(row.written)]));
  }
}

async function deltaAmong(devices: number): Promise<void> {
  const plans = planCollector();
  await withStack(devices, (stack) => smallDelta(stack, plans), {
    postgres: { settings: explainSettings, onLog: plans.onLog },
  });
}

async function smallDelta(stack: Stack, plans: ReturnType<typeof planCollector>): Promise<void> {
  const { fleet } = await firstSync(stack, 1000);
  const sql = postgres(stack.databaseUrl, { max: 1 });
  await sql`analyze devices`;
  const scans = async () => {
    await statisticsSettle();
    const [row] = await sql<{ seq_scan: string; idx_scan: string; read: string }[]>`
      select seq_scan, idx_scan, seq_tup_read + idx_tup_fetch as read
      from pg_stat_user_tables where relname = 'devices'`;
    return {
      sequential: Number(row?.seq_scan),
      byIndex: Number(row?.idx_scan),
      read: Number(row?.read),
    };
  };
  await stack.apple.churn(fleet.server, 1000);
  await explain('1ms');
  const before = await scans();
  plans.clear();
  const run = await stack.api.sync(fleet.integrationId);
  const after = await scans();
  await explain('-1');
  const pages = plans.plansOf((query) => query.includes(pageStatement.slice(0, 200)));
  if (pages.length === 0) throw new Error('no plan of the page statement was logged');
  const rowsRead = pages.reduce((sum, page) => sum + page.rowsRead, 0);
  const ms = Date.parse(run.finishedAt ?? '') - Date.parse(run.startedAt ?? '');
  report('A delta of 1000 changes among 300,000 devices', {
    counted: `${run.added} added, ${run.modified} modified, ${run.removed} removed, ${run.unchanged} unchanged`,
    took: seconds(ms),
    'sequential scans of devices': atMost(after.sequential - before.sequential, 0),
    'look-ups by index': String(after.byIndex - before.byIndex),
    'rows read': String(after.read - before.read),
    'rows that the pages read, a change': atMost(rowsRead / changesOf(run), 10),
    'sequential scans in their plans': atMost(
      pages.flatMap((page) => page.sequentialScans).length,
      0,
    ),
  });
  console.log('\n  The plan of the first page');
  for (const line of pages[0]?.lines ?? []) console.log(`    ${line}`);
  await sql.end();

  async function explain(from: string): Promise<void> {
    await sql.unsafe(`alter system set ${explainFrom} = '${from}'`);
    await sql`select pg_reload_conf()`;
  }
}

function changesOf({ added, modified, removed }: SyncRun): number {
  return Math.max(1, added + modified + removed);
}

async function flatMemory(): Promise<void> {
  const peak = { small: 0, large: 0 };
  const measure = (key: keyof typeof peak) => async (stack: Stack) => {
    await firstSync(stack, 1000);
    peak[key] = peakMegabytes(stack.pid('worker'));
  };
  // As in production: the bundler of a start from the sources needs more memory than any sync.
  execFileSync('npm', ['run', 'build'], { stdio: 'ignore' });
  await withStack(5_000, measure('small'), { built: true });
  await withStack(500_000, measure('large'), { built: true });
  report('Peak memory of the worker', {
    'syncing 5,000 devices': `${peak.small.toFixed(0)} MB`,
    'syncing 500,000 devices': `${peak.large.toFixed(0)} MB`,
    difference: atMost(peak.large - peak.small, 100, ' MB'),
  });
}

async function listsAtSize(stack: Stack): Promise<void> {
  const { fleet } = await firstSync(stack, 1000);
  await listBench(stack, fleet.integrationId);
}

/** Linux's own high-water mark of the process. */
function peakMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

/** An idle PostgreSQL backend hands its counts over after ten seconds at the latest. */
function statisticsSettle(): Promise<void> {
  return pause(11_000);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
