import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** A way to get a program into our cache. Resolves with its path; throws with one line that says why not. */
export interface Source {
  /** Said before it is tried, with how long it may take. */
  announcement: string;
  get(cacheDir: string): Promise<string>;
}

const cliModule = 'github.com/temporalio/cli/cmd/temporal@v1.5.1';
const testServerVersion = '1.32.1';

/** Later versions of the module carry a replace directive and cannot be installed so. */
export const cliByGo: Source = {
  announcement: `building the Temporal CLI with Go (${cliModule}), once, about 3 minutes`,
  get: async (cacheDir) => {
    const bin = path.join(cacheDir, 'bin');
    mkdirSync(bin, { recursive: true });
    await run('go', ['install', cliModule], {
      minutes: 20,
      env: { GOBIN: bin, GOFLAGS: '-mod=mod' },
    });
    return path.join(bin, process.platform === 'win32' ? 'temporal.exe' : 'temporal');
  },
};

/** Temporal's time-skipping server is a Java program; a two-line script makes it look like a binary. */
export const testServerByMaven: Source = {
  announcement: `fetching Temporal's test server ${testServerVersion} with Maven, once, about 15 seconds`,
  get: async (cacheDir) => {
    await run('java', ['-version'], { minutes: 1 });
    mkdirSync(path.join(cacheDir, 'bin'), { recursive: true });
    const scratch = mkdtempSync(path.join(cacheDir, 'maven-'));
    const jars = path.join(cacheDir, `temporal-test-server-${testServerVersion}`);
    const script = path.join(cacheDir, 'bin', 'temporal-test-server');
    try {
      writeFileSync(path.join(scratch, 'pom.xml'), pom);
      const copy = [
        '-q',
        '-B',
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${path.join(scratch, 'jars')}`,
      ];
      await run('mvn', copy, { minutes: 10, cwd: scratch });
      rmSync(jars, { recursive: true, force: true });
      renameSync(path.join(scratch, 'jars'), jars);
      writeFileSync(path.join(scratch, 'script'), launcher(jars), { mode: 0o755 });
      chmodSync(path.join(scratch, 'script'), 0o755);
      renameSync(path.join(scratch, 'script'), script);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
    return script;
  },
};

/**
 * The SDK's own download. It runs in a process of its own, since a download that never answers can
 * be ended in no other way.
 */
export function bySdk(what: 'createLocal' | 'createTimeSkipping'): Source {
  return {
    announcement: "asking the Temporal SDK's own download, at most 60 seconds",
    get: async (cacheDir) => {
      const folder = path.join(cacheDir, 'sdk', what);
      mkdirSync(folder, { recursive: true });
      const program =
        `import { TestWorkflowEnvironment as Environment } from '@temporalio/testing';` +
        `const executable = { type: 'cached-download', downloadDir: process.argv[1] };` +
        `const environment = await Environment.${what}({ server: { executable } });` +
        `await environment.teardown();`;
      const root = fileURLToPath(new URL('..', import.meta.url));
      const args = ['--input-type=module', '-e', program, folder];
      await run(process.execPath, args, { minutes: 1, cwd: root });
      const [file] = readdirSync(folder).filter((name) => !name.endsWith('.downloading'));
      if (file === undefined) throw new Error('the download left no file');
      return path.join(folder, file);
    },
  };
}

const launcher = (jars: string) => `#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp '${jars}/*' io.temporal.testserver.TestServer "$@"
`;

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>guardmdm</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>${testServerVersion}</version>
    </dependency>
  </dependencies>
</project>
`;

function run(
  command: string,
  args: string[],
  { minutes, cwd, env }: { minutes: number; cwd?: string; env?: Record<string, string> },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: minutes * 60_000,
      killSignal: 'SIGKILL',
    });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      told = (told + chunk).slice(-2000);
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(error.code === 'ENOENT' ? `${command} is not installed` : error.message));
    });
    child.once('exit', (code, signal) => {
      if (code === 0) {
        resolve();
        return;
      }
      const end = signal === null ? `ended with code ${code ?? 'unknown'}` : `took too long`;
      const last = told.trim().split('\n').at(-1) ?? '';
      reject(new Error(last === '' ? `${command} ${end}` : `${command} ${end}: ${last}`));
    });
  });
}
