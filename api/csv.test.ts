import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvRecord } from './csv.ts';

test.each([
  ['=1+1', "'=1+1"],
  ['+49 123', "'+49 123"],
  ['-5', "'-5"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['  =1+1', "'  =1+1"],
  ['＝1', "'＝1"],
  ['\t=1', "'\t=1"],
  ['a=1', 'a=1'],
  ['', ''],
  [null, ''],
])('%j is written as %s', (value, written) => {
  expect(csvRecord([value])).toBe(`${written}\r\n`);
});

test('what is written reads back as the same values, whatever is in them', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (values) => {
      const safe = values.map((value) => (/^[\s=+\-@＝＋－＠]/.test(value) ? `x${value}` : value));
      expect(readRecord(csvRecord(safe))).toEqual(safe);
    }),
  );
});

/** RFC 4180, read by the letter. */
function readRecord(record: string): string[] {
  const text = record.slice(0, -2);
  const fields: string[] = [];
  for (let at = 0; at <= text.length; at += 1) {
    let value = '';
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
        if (text[at] === '"') at += 1;
        value += text.charAt(at);
      }
      at += 1;
    } else for (; at < text.length && text[at] !== ','; at += 1) value += text.charAt(at);
    fields.push(value);
  }
  return fields;
}
