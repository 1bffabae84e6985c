import { expect, test } from 'vitest';
import { readRetryAfter } from './retry-after.ts';

const now = new Date('1994-11-06T08:48:37Z');

test.each([
  ['120', 120],
  [' 0 ', 0],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 60],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 60],
  ['Sun Nov  6 08:49:37 1994', 60],
  ['Sun, 06 Nov 1994 08:40:00 GMT', 0],
  ['-5', null],
  ['1.5', null],
  ['12345678901', null],
  ['soon', null],
  ['Sun, 99 Nov 1994 08:49:37 GMT', null],
  ['', null],
  [null, null],
])('reads %j as %j seconds', (header, seconds) => {
  expect(readRetryAfter(header, now)).toBe(seconds);
});
