import { expect, test } from 'vitest';
import { appleDevice, deletedDevice, operation } from '../../test/factories.ts';
import { mergeEntries } from './merge-entries.ts';

const at = (second: number) => `2026-01-01T00:00:0${second}Z`;
const entry = (color: string, date: string | null) =>
  appleDevice({ serial: 'A', color, operation: operation('modified', date) });
const listed = (color: string) => appleDevice({ serial: 'A', color });

test.each([
  ['the newest wins', [entry('NEW', at(2)), entry('OLD', at(1))], 'NEW', false, at(2)],
  ['of one second the later wins', [entry('1', at(1)), entry('2', at(1))], '2', false, at(1)],
  ['a deletion wins its second', [deletedDevice('A', at(1)), entry('X', at(1))], null, true, at(1)],
  ['facts outlive a deletion', [entry('X', at(1)), deletedDevice('A', at(2))], 'X', true, at(2)],
  [
    'an older deletion is nothing',
    [entry('X', at(2)), deletedDevice('A', at(1))],
    'X',
    false,
    at(2),
  ],
  ['it comes back', [deletedDevice('A', at(1)), entry('X', at(2))], 'X', false, at(2)],
  ['undated, the later wins', [entry('1', null), entry('2', null)], '2', false, null],
  ['undated after dated wins', [entry('1', at(5)), entry('2', null)], '2', false, at(5)],
  ['dated after undated wins', [entry('1', null), entry('2', at(5))], '2', false, at(5)],
  ['an undated deletion is one', [entry('1', at(5)), deletedDevice('A', null)], '1', true, at(5)],
  ['a full fetch has no dates', [listed('1'), listed('2')], '2', false, null],
])('%s', (_title, devices, color, gone, newest) => {
  const [merged, ...rest] = mergeEntries(devices);
  expect(rest).toEqual([]);
  expect(merged?.facts?.color ?? null).toBe(color);
  expect(merged?.gone).toBe(gone);
  expect(merged?.newest?.at ?? null).toBe(newest);
});

test('two serials that PostgreSQL would store as one are one', () => {
  const merged = mergeEntries([appleDevice({ serial: 'A\0' }), appleDevice({ serial: 'A' })]);
  expect(merged.map((one) => one.serial)).toEqual(['A']);
});
