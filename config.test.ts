import { describe, expect, test } from 'vitest';
import { loadConfig } from './config.ts';

const complete = {
  DATABASE_URL: 'postgres://abm@localhost/abm',
  TEMPORAL_ADDRESS: 'localhost:7233',
  ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
};

describe('loadConfig', () => {
  test('fills in the defaults', () => {
    expect(loadConfig(complete)).toMatchObject({
      PORT: 8080,
      TEMPORAL_NAMESPACE: 'default',
      APPLE_ADE_URL: 'https://mdmenrollment.apple.com',
      LOG_LEVEL: 'info',
    });
  });

  test('names every problem at once and repeats no value', () => {
    const load = () =>
      loadConfig({
        ...complete,
        DATABASE_URL: undefined,
        ENCRYPTION_KEY: 'c2VjcmV0',
        PORT: 'http',
      });
    expect(load).toThrow(/DATABASE_URL is not set/);
    expect(load).toThrow(/ENCRYPTION_KEY: must be 32 bytes in base64/);
    expect(load).toThrow(/PORT/);
    expect(load).not.toThrow(/c2VjcmV0/);
  });

  test('takes an empty variable as unset', () => {
    expect(loadConfig({ ...complete, ADMIN_API_KEY: '', LOG_LEVEL: '' }).LOG_LEVEL).toBe('info');
  });

  test('reads old encryption keys as a list', () => {
    const old = Buffer.alloc(32, 1).toString('base64');
    expect(loadConfig({ ...complete, ENCRYPTION_KEYS_OLD: `${old},` }).ENCRYPTION_KEYS_OLD).toEqual(
      [old],
    );
  });
});
