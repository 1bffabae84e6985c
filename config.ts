import { z } from 'zod';

/** The only file that knows environment variables. `docs/operations.md` explains each. */

const flag = z
  .enum(['0', '1', 'true', 'false'])
  .transform((value) => value === '1' || value === 'true');

const encryptionKey = z.base64().refine((value) => Buffer.from(value, 'base64').length === 32, {
  message: 'must be 32 bytes in base64; make one with: openssl rand -base64 32',
});

const environment = z.object({
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  HOST: z.string().min(1).default('0.0.0.0'),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).default(10),
  TEMPORAL_ADDRESS: z.string().min(1),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  TEMPORAL_API_KEY: z.string().min(1).optional(),
  TEMPORAL_TLS: flag.optional(),
  TEMPORAL_TLS_CERT_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_KEY_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_CA_FILE: z.string().min(1).optional(),
  TEMPORAL_TLS_SERVER_NAME: z.string().min(1).optional(),
  APPLE_ADE_URL: z.url({ protocol: /^https?$/ }).default('https://mdmenrollment.apple.com'),
  APPLE_USER_AGENT: z.string().min(1).max(200).default('guardmdm-abm/0.1'),
  ENCRYPTION_KEY: encryptionKey,
  /** Keys that may still have sealed something, newest first, comma separated. */
  ENCRYPTION_KEYS_OLD: z
    .string()
    .transform((value) => value.split(',').filter((key) => key !== ''))
    .pipe(z.array(encryptionKey))
    .optional(),
  ADMIN_API_KEY: z.string().min(20, 'must have at least 20 characters').optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

export type Config = Readonly<z.infer<typeof environment>>;

/** All problems of a configuration at once, each with its variable and what to do. */
export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(`The configuration cannot be used:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Reads the configuration from an environment. Empty variables count as unset. */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => (value ?? '') !== ''));
  const result = environment.safeParse(given);
  if (result.success) return Object.freeze(result.data);
  // The value itself is never repeated: it may be a secret.
  throw new ConfigError(
    result.error.issues.map((issue) => {
      const name = issue.path.join('.');
      return name in given ? `${name}: ${issue.message}` : `${name} is not set`;
    }),
  );
}
