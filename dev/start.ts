import { ConfigError } from '../config.ts';
import { DomainError } from '../domain/errors.ts';
import { bringUp, type Running } from './bring-up.ts';
import { interruption } from './interruption.ts';
import { takeLock } from './lock.ts';
import { describeParts, type Parts } from './parts.ts';
import { openDataDir } from './secrets.ts';
import { dataDirOf, isSet, readSettings, requirePort, type Settings } from './settings.ts';
import { showStep } from './show-step.ts';
import { StartError } from './start-error.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import { bold, dim, red, say, table } from './terminal.ts';
import { runDemo } from './demo.ts';

// The embedded mode: `npm start`. Whatever is not set in the environment is brought up here, on this
// machine, and kept in DATA_DIR. Production does not come this way: see docs/operations.md.

const startedAt = Date.now();
let stopping = false;
const tell = (name: string, text: string) => {
  if (!stopping) say(name, text);
};

try {
  await main();
} catch (error) {
  explain(error);
  process.exitCode = 1;
}
// What a library left open must not keep a stopped program alive.
setTimeout(() => process.exit(), 500).unref();

async function main(): Promise<void> {
  const dataDir = dataDirOf(process.env);
  openDataDir(dataDir);
  const settings = readSettings(process.env);
  const lock = takeLock(dataDir, settings.baseUrl);
  process.once('exit', () => {
    lock.release();
  });
  await requirePort(settings.port);

  const parts = describeParts({
    logDir: `${dataDir}/logs`,
    logLevel: process.env['LOG_LEVEL'] ?? null,
    say: tell,
  });
  let giveUp: (reason: StartError) => void = () => undefined;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const supervisor = createSupervisor({
    say: tell,
    onGiveUp: (name, reason) => {
      giveUp(new StartError(`${name} does not stay up: ${reason}.`, parts.lastWords(name)));
    },
  });
  process.once('exit', supervisor.killAll);
  const stopAsked = interruption(() => {
    supervisor.killAll();
    process.exit(130);
  });

  try {
    await Promise.race([stopAsked, givenUp, run(settings, supervisor, parts)]);
    await Promise.race([stopAsked, givenUp]);
  } finally {
    await stopAll(supervisor);
  }
}

async function run(settings: Settings, supervisor: Supervisor, parts: Parts): Promise<void> {
  const running = await bringUp({ settings, supervisor, parts, say: tell });
  if (running.simulatorUrl !== null) await demonstrate(settings, running.simulatorUrl);
  announce(settings, running);
}

async function demonstrate(settings: Settings, portalUrl: string): Promise<void> {
  try {
    const step = showStep(settings, portalUrl, () => stopping);
    await runDemo({ serverUrl: settings.baseUrl, adminKey: settings.adminKey, portalUrl, step });
  } catch (error) {
    tell('demo', red(`The demo did not come to its end: ${(error as Error).message}`));
  }
}

function announce(settings: Settings, running: Running): void {
  if (stopping) return;
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  const isGiven = isSet(process.env['ADMIN_API_KEY']);
  const rows: [string, string][] = [
    ['Admin API', `${settings.baseUrl}/api/docs`],
    ['Temporal UI', running.temporalUi ?? `yours, at ${settings.temporalAddress ?? ''}`],
    ['Simulated ABM', running.simulatorUrl ?? `none: devices come from ${settings.appleUrl ?? ''}`],
    ['Admin key', isGiven ? 'as set in ADMIN_API_KEY' : settings.adminKey],
    ['Data and logs', settings.dataDir],
  ];
  console.log(`\n${bold(`GuardMDM ABM is ready (${seconds} s)`)}\n\n${table(rows)}\n`);
  console.log(dim('  Ctrl-C stops everything; a later npm start goes on with the same data.\n'));
}

/** Those who write first, those who keep what was written last. */
async function stopAll(supervisor: Supervisor): Promise<void> {
  stopping = true;
  supervisor.close();
  if (Object.keys(supervisor.pids()).length === 0) return;
  say('stop', 'Stopping; a second Ctrl-C does not wait for anything.');
  await supervisor.stop(['server', 'worker']);
  await supervisor.stop(['simulator']);
  await supervisor.stop(['temporal', 'postgres']);
  say('stop', 'Everything has stopped.');
}

function explain(error: unknown): void {
  if (!(error instanceof Error)) throw error;
  console.error(`\n${red(error.message)}`);
  if (error instanceof StartError && error.remedy !== '') console.error(error.remedy);
  const known = [StartError, ConfigError, DomainError].some((kind) => error instanceof kind);
  if (!known) console.error(error.stack);
}
