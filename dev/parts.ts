import path from 'node:path';
import { levels } from './log-line.ts';
import { openPartLog, type PartLog } from './part-log.ts';
import { answersOk } from './readiness.ts';
import type { Environment } from './settings.ts';
import type { PartSpec } from './supervisor.ts';

const root = path.resolve(import.meta.dirname, '..');
const file = (name: string) => path.join(root, name);

export interface PartsOptions {
  logDir: string;
  /** Of ours; null shows warnings and what is worse. */
  logLevel: string | null;
  say: (name: string, text: string) => void;
}

export interface Parts {
  postgres(options: { dir: string; port: number }): PartSpec;
  temporal(options: { dbFile: string; port: number; uiPort: number }): PartSpec;
  simulator(options: { stateFile: string; port: number }): PartSpec;
  server(options: { env: Environment; url: string }): PartSpec;
  worker(options: { env: Environment }): PartSpec;
  /** The last lines of a part's log and where the rest is. */
  lastWords(name: string): string;
}

/** How each part is started, known to be ready, and stopped. */
export function describeParts({ logDir, logLevel, say }: PartsOptions): Parts {
  const logs = new Map<string, PartLog>();

  function part(
    name: string,
    args: string[],
    spec: Pick<PartSpec, 'ready' | 'startSeconds' | 'graceSeconds'> & {
      env?: Environment;
      printFrom: number | null;
    },
  ): PartSpec {
    const log = openPartLog({
      name,
      dir: logDir,
      printFrom: spec.printFrom,
      print: (text) => {
        say(name, text);
      },
    });
    logs.set(name, log);
    return {
      name,

      args: ['--import', 'tsx', ...args],
      cwd: root,
      env: spec.env ?? process.env,
      ready: spec.ready,
      startSeconds: spec.startSeconds,
      graceSeconds: spec.graceSeconds,
      onLine: log.line,
      onProgress: (text) => {
        say(name, text);
      },
    };
  }

  const follower = [file('dev/follow-parent.ts')];
  const keeper = (kind: string, options: Record<string, unknown>) => [
    ...follower,
    file('dev/part-main.ts'),
    kind,
    JSON.stringify(options),
  ];
  const ownLevel = Object.entries(levels).find(([name]) => name === logLevel)?.[1] ?? levels.warn;

  return {
    postgres: ({ dir, port }) =>
      part('postgres', keeper('postgres', { data: dir, port }), {
        ready: 'message',
        startSeconds: 120,
        graceSeconds: 30,
        printFrom: null,
      }),
    temporal: ({ dbFile, port, uiPort }) =>
      part('temporal', keeper('temporal', { data: dbFile, port, uiPort }), {
        ready: 'message',
        // It may have to be fetched or built first.
        startSeconds: 25 * 60,
        graceSeconds: 20,
        printFrom: null,
      }),
    simulator: ({ stateFile, port }) =>
      part(
        'simulator',
        [...follower, file('simulator/main.ts'), '--port', String(port), '--state', stateFile],
        {
          ready: answersOk(`http://127.0.0.1:${port}/healthz`),
          startSeconds: 60,
          graceSeconds: 10,
          printFrom: levels.warn,
        },
      ),
    server: ({ env, url }) =>
      part('server', [...follower, file('server.ts')], {
        env,
        ready: answersOk(`${url}/readyz`),
        startSeconds: 90,
        graceSeconds: 20,
        printFrom: ownLevel,
      }),
    worker: ({ env }) =>
      part('worker', [...follower, file('worker.ts')], {
        env,
        ready: () => Promise.resolve(),
        startSeconds: 90,
        graceSeconds: 40,
        printFrom: ownLevel,
      }),
    lastWords: (name) => {
      const log = logs.get(name);
      if (log === undefined) return '';
      return [
        ...log.lastLines().map((line) => `    ${line.slice(0, 300)}`),
        `The rest is in ${log.file}`,
      ].join('\n');
    },
  };
}
