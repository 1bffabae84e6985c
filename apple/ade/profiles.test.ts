import { describe, expect, test } from 'vitest';
import { readAssignProfileReply, readDefineProfileReply, readGetProfileReply } from './profiles.ts';
import type { WireProfileReply } from './wire.ts';
import { batchOf, readSerialResults } from './serials.ts';

describe('per-serial answers', () => {
  test('are read for every serial that was asked for', () => {
    const devices = {
      A1: 'SUCCESS',
      B2: 'NOT_ACCESSIBLE',
      C3: 'FAILED',
      ' d4 ': 'THROTTLED',
      E5: 'NOT_FOUND',
      F6: 'A_NEW_WORD',
      G7: null,
      Z9: 'SUCCESS',
    };
    const asked = ['A1', 'B2', 'C3', 'D4', 'E5', 'F6', 'G7', 'H8'];
    expect(Object.fromEntries(readSerialResults({ devices }, asked))).toEqual({
      A1: 'SUCCESS',
      B2: 'NOT_ACCESSIBLE',
      C3: 'FAILED',
      D4: 'THROTTLED',
      E5: 'NOT_FOUND',
      F6: 'FAILED',
      G7: 'FAILED',
      H8: 'FAILED',
    });
  });

  test.each([{}, { devices: null }, { devices: ['A1'] }, [], null])('are not in %j', (body) => {
    expect(() => readSerialResults(body, ['A1'])).toThrow(
      expect.objectContaining({ name: 'ShapeError' }),
    );
  });

  test('a serial that is a word of the language is a serial', () => {
    const results = readSerialResults({ devices: {} }, ['constructor', '__proto__']);
    expect([...results]).toEqual([
      ['CONSTRUCTOR', 'FAILED'],
      ['__PROTO__', 'FAILED'],
    ]);
  });
});

describe('a batch', () => {
  test('is normalized and names each serial once', () => {
    expect(batchOf([' a1', 'A1 ', 'b2'])).toEqual(['A1', 'B2']);
  });

  test('above 1000 is a mistake of ours', () => {
    const serials = Array.from({ length: 1001 }, (_, at) => `S${at}`);
    expect(() => batchOf(serials)).toThrow(TypeError);
    expect(batchOf(serials.slice(1))).toHaveLength(1000);
  });
});

test.each([
  [3600, 3600],
  [undefined, null],
  [null, null],
  ['60', null],
  [-1, null],
  [0, null],
])('retry_after_seconds %j means %j', (given, expected) => {
  const body = { profile_uuid: 'P', devices: { A1: 'THROTTLED' }, retry_after_seconds: given };
  expect(readAssignProfileReply(body, ['A1'])).toEqual({
    results: new Map([['A1', 'THROTTLED']]),
    retryAfterSeconds: expected,
  });
});

test.each([undefined, null, '', 7])('a definition without a uuid (%j) is none', (uuid) => {
  expect(readDefineProfileReply({ profile_uuid: 'P' })).toEqual({ profileUuid: 'P' });
  expect(() => readDefineProfileReply({ profile_uuid: uuid })).toThrow(
    expect.objectContaining({ field: 'profile_uuid' }),
  );
});

test('a profile comes back as Apple has it', () => {
  const profile: WireProfileReply = {
    profile_name: 'Kiosk',
    url: 'https://x.example',
    is_supervised: true,
    profile_uuid: 'P',
  };
  expect(readGetProfileReply(profile)).toEqual(profile);
  expect(() => readGetProfileReply([profile])).toThrow(
    expect.objectContaining({ field: 'the body' }),
  );
});
