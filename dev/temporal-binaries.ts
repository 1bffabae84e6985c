import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { withBuildLock } from './build-lock.ts';
import { StartError } from './start-error.ts';
import { bySdk, cliByGo, testServerByMaven, type Source } from './temporal-sources.ts';

export interface FindOptions {
  env?: Record<string, string | undefined>;
  /** Told what is being done and how long it may take. */
  onProgress?: (text: string) => void;
}

interface Wanted {
  what: string;
  /** The file name in PATH and in our cache. */
  name: string;
  variable: string;
  sources: Source[];
  remedy: string;
}

const cli: Wanted = {
  what: 'the Temporal dev server',
  name: 'temporal',
  variable: 'TEMPORAL_CLI_PATH',
  sources: [bySdk('createLocal'), cliByGo],
  remedy:
    'Install the Temporal CLI (https://docs.temporal.io/cli/setup-cli) or Go, or set TEMPORAL_CLI_PATH ' +
    'to a temporal binary, or set TEMPORAL_ADDRESS to a Temporal that runs already.',
};

const testServer: Wanted = {
  what: "Temporal's time-skipping test server",
  name: 'temporal-test-server',
  variable: 'TEMPORAL_TEST_SERVER_PATH',
  sources: [bySdk('createTimeSkipping'), testServerByMaven],
  remedy:
    'Install Java and Maven, or set TEMPORAL_TEST_SERVER_PATH to a temporal-test-server ' +
    '(https://github.com/temporalio/sdk-java/releases).',
};

/** Path of the `temporal` CLI, which holds the dev server. Throws `StartError`. */
export const findTemporalCli = (options?: FindOptions) => find(cli, options);
/** Path of the time-skipping server that workflow tests need. Throws `StartError`. */
export const findTestServer = (options?: FindOptions) => find(testServer, options);

/** By environment, in PATH, in our cache, by the SDK's download, by a build from a package registry. */
async function find(wanted: Wanted, options: FindOptions = {}): Promise<string> {
  const { env = process.env, onProgress = () => undefined } = options;
  const named = env[wanted.variable];
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return path.resolve(named);
    throw new StartError(`${wanted.variable} names no program: ${named}`, wanted.remedy);
  }
  const cacheDir = path.join(cacheHome(env), 'guardmdm-abm');
  const inPlace = () =>
    [...(env['PATH'] ?? '').split(path.delimiter), path.join(cacheDir, 'bin')]
      .filter((folder) => folder !== '')
      .map((folder) => path.join(folder, fileName(wanted.name)))
      .find(isProgram);
  const found = inPlace();
  if (found !== undefined) return found;

  mkdirSync(cacheDir, { recursive: true });
  const lock = path.join(cacheDir, `${wanted.name}.lock`);
  const onWait = (pid: number) => {
    onProgress(`process ${pid} is getting ${wanted.what}: waiting for it`);
  };
  return withBuildLock(
    lock,
    onWait,
    async () => inPlace() ?? (await get(wanted, cacheDir, onProgress)),
  );
}

function cacheHome(env: Record<string, string | undefined>): string {
  const named = env['XDG_CACHE_HOME'] ?? '';
  return named === '' ? path.join(homedir(), '.cache') : named;
}

async function get(
  wanted: Wanted,
  cacheDir: string,
  onProgress: (text: string) => void,
): Promise<string> {
  const failures: string[] = [];
  for (const source of wanted.sources) {
    onProgress(`${wanted.what} is not here yet: ${source.announcement}`);
    try {
      return await source.get(cacheDir);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      onProgress(`that did not work (${failures.at(-1) ?? ''})`);
    }
  }
  throw new StartError(`${wanted.what} could not be had: ${failures.join('; ')}.`, wanted.remedy);
}

const fileName = (name: string) => (process.platform === 'win32' ? `${name}.exe` : name);

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
