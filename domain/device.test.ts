import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizeSerial } from './device.ts';

describe('a serial number is stored and compared', () => {
  test.each([
    ['as it is', 'C02XL0GTJGH5', 'C02XL0GTJGH5'],
    ['in upper case', 'c02xl0gtjgh5', 'C02XL0GTJGH5'],
    ['without blanks around it', '  C02XL0GTJGH5\t', 'C02XL0GTJGH5'],
    ['without the line end of a CSV row', 'C02XL0GTJGH5\r\n', 'C02XL0GTJGH5'],
    ['without a byte order mark', '\uFEFFC02XL0GTJGH5', 'C02XL0GTJGH5'],
    ['without a hard blank', '\u00A0C02XL0GTJGH5\u00A0', 'C02XL0GTJGH5'],
    ['with what is inside left alone', ' ab-12 34 ', 'AB-12 34'],
    ['as nothing when it is blank', ' \t ', ''],
  ])('%s', (_, input, serial) => {
    expect(normalizeSerial(input)).toBe(serial);
  });

  test('the same when that is done twice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (input) => {
        const once = normalizeSerial(input);
        expect(normalizeSerial(once)).toBe(once);
      }),
    );
  });
});
