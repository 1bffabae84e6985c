import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BerError, integerHex, members, octets, oidHex, readBer } from './ber.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('an octet string is read', () => {
  test.each([
    ['in one piece', '04 03 010203', '010203'],
    ['empty', '04 00', ''],
    ['with a length longer than needed', '04 84 00000003 010203', '010203'],
    ['in chunks', '24 07 0401 01 0402 0203', '010203'],
    ['in chunks of indefinite length', '24 80 0401 01 0402 0203 0000', '010203'],
    ['in chunks within chunks', '24 80 24 80 0401 01 0000 24 04 0402 0203 0000', '010203'],
    ['in no chunk at all', '24 80 0000', ''],
  ])('%s', (_, encoded, content) => {
    expect(textOf(octets(readBer(hex(encoded))))).toBe(content);
  });

  test('the same however it is cut and nested', () => {
    interface Piece {
      bytes: Uint8Array;
      nested: Piece[] | null;
      indefinite: boolean;
    }
    const { piece } = fc.letrec<{ piece: Piece; pieces: Piece[] }>((tie) => ({
      piece: fc.record({
        bytes: fc.uint8Array({ maxLength: 300 }),
        nested: fc.option(tie('pieces'), { depthSize: 'small', maxDepth: 5 }),
        indefinite: fc.boolean(),
      }),
      pieces: fc.array(tie('piece'), { maxLength: 4 }),
    }));
    const encode = ({ bytes, nested, indefinite }: Piece): Buffer => {
      if (!nested) return Buffer.concat([Buffer.from([0x04]), encodeLength(bytes.length), bytes]);
      const content = Buffer.concat(nested.map(encode));
      return indefinite
        ? Buffer.concat([Buffer.from([0x24, 0x80]), content, Buffer.from([0, 0])])
        : Buffer.concat([Buffer.from([0x24]), encodeLength(content.length), content]);
    };
    const contentOf = ({ bytes, nested }: Piece): Buffer =>
      nested ? Buffer.concat(nested.map(contentOf)) : Buffer.from(bytes);

    fc.assert(
      fc.property(piece, (each) => {
        expect(textOf(octets(readBer(encode(each))))).toBe(textOf(contentOf(each)));
      }),
    );
  });
});

describe('refused are', () => {
  test.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a length beyond the end', '04 05 01'],
    ['an inner length beyond its parent, within the file', '30 03 04 05 01 02 03 04'],
    ['an inner length that takes from the next sibling', '30 08 30 03 04 03 01 04 01 02'],
    ['a length cut off', '30 82 01'],
    ['a length of five octets', '04 85 0000000001 01'],
    ['a primitive of indefinite length', '04 80 0401 01 0000'],
    ['an indefinite length without an end', '30 80 0401 01'],
    ['half an end', '30 80 0401 01 00'],
    ['an indefinite length that ends beyond its parent', '30 04 3080 0401 01 0000'],
    ['an end without a beginning', '30 02 0000'],
    ['a long tag', '3f 81 01 00'],
    ['something after the end', '04 01 01 04 01 02'],
    ['more levels than 32', `${'3080'.repeat(34)}${'0000'.repeat(34)}`],
    ['more elements than 100,000', `3080${'0500'.repeat(100_000)}0000`],
  ])('%s', (_, encoded) => {
    expect(() => readBer(hex(encoded))).toThrow(BerError);
  });

  test('values of another type than expected', () => {
    const wrong = readBer(hex('30 03 0c 01 41'));

    expect(() => octets(wrong)).toThrow(BerError);
    expect(() => octets(readBer(hex('24 03 0c 01 41')))).toThrow(BerError);
    expect(() => oidHex(wrong)).toThrow(BerError);
    expect(() => integerHex(wrong)).toThrow(BerError);
    expect(() => members(wrong, 'set')).toThrow(BerError);
    expect(() => members(readBer(hex('10 00')), 'sequence')).toThrow(BerError);
    expect(() => members(undefined, 'sequence')).toThrow(BerError);
  });
});

test('blank bytes after the end are let go', () => {
  expect(textOf(octets(readBer(hex('04 01 01 0d0a 20 00'))))).toBe('01');
});

test('an integer is the same with and without leading zeros', () => {
  expect(integerHex(readBer(hex('02 03 00ff01')))).toBe('ff01');
  expect(integerHex(readBer(hex('02 02 ff01')))).toBe('ff01');
});

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  return Buffer.from([0x82, length >> 8, length & 0xff]);
}
