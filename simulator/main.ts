import { parseArgs } from 'node:util';
import { ZodError } from 'zod';
import { createSimulator } from './app.ts';
import type { SimulatorInput } from './options.ts';
import { StateFileError } from './state-file.ts';

const help = `Apple's side of Automated Device Enrollment, for development and tests.

  npm run simulate -- [options]

  --port <n>               where to listen (8090)
  --host <address>         (127.0.0.1)
  --devices <n>            devices of each organization, up to 2,000,000 (250)
  --organizations <n>      (1)
  --seed <n>               the same seed makes the same fleet (7)
  --state <file>           keeps the world between starts
  --latency <ms>           waits before every answer of Apple's (0)
  --churn-per-page <n>     random changes before every page of devices (0)
  --session-lifetime <s>   (3600)
  --single-session         a new session ends the ones before it
  --throttle-after <n>     assignments of one device a day before it is throttled (0: never)
  --block-user-agent <s>   keeps out User-Agents that begin so, and no others; may be repeated
  --public-url <url>       what clients sign, where a proxy stands between
  --help

  /              the portal for a person
  /portal/api    the portal for programs
  /control       faults, clock, truth, statistics
`;

const text = { type: 'string' } as const;

function readArguments(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      port: text,
      host: text,
      devices: text,
      organizations: text,
      seed: text,
      state: text,
      latency: text,
      'churn-per-page': text,
      'session-lifetime': text,
      'single-session': { type: 'boolean' },
      'throttle-after': text,
      'block-user-agent': { type: 'string', multiple: true },
      'public-url': text,
      help: { type: 'boolean' },
    },
  });
  const numbers = {
    devices: values.devices,
    organizations: values.organizations,
    seed: values.seed,
    latencyMs: values.latency,
    churnPerPage: values['churn-per-page'],
    sessionLifetimeSeconds: values['session-lifetime'],
    throttleAfter: values['throttle-after'],
  };
  const options: SimulatorInput = {
    ...Object.fromEntries(
      Object.entries(numbers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Number(value)]],
      ),
    ),
    parallelSessions: values['single-session'] !== true,
    blockedUserAgents: values['block-user-agent'],
    publicUrl: values['public-url'],
    stateFile: values.state,
  };
  return { options, port: Number(values.port ?? 8090), host: values.host, help: values.help };
}

function stop(problem: string): never {
  console.error(problem);
  process.exit(1);
}

function explain(error: unknown): string {
  if (error instanceof ZodError) {
    return error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n');
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return 'The port is in use; choose another with --port.';
  if (error instanceof StateFileError || /^(ERR_PARSE_ARGS|ERR_SOCKET)/.test(code ?? '')) {
    return message;
  }
  throw error;
}

try {
  const asked = readArguments(process.argv.slice(2));
  if (asked.help === true) {
    console.log(help);
    process.exit(0);
  }
  const simulator = createSimulator(asked.options);
  const { url } = await simulator.listen({
    port: asked.port,
    ...(asked.host !== undefined && { host: asked.host }),
  });
  const { devices, seed } = simulator.world.options;
  console.log(`Simulating Apple at ${url}: ${devices} devices of seed ${seed}.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      simulator.close().then(
        () => process.exit(0),
        (error: unknown) => stop(`The world was not saved: ${(error as Error).message}`),
      );
    });
  }
} catch (error) {
  stop(explain(error));
}
