import { mix } from '../random.ts';
import { draws, products, type Product } from './catalog.ts';

/** What is true of a device for ever, worked out from the seed and its number; nothing is stored. */

const letters = '0123456789CDFGHJKLMNPQRTVWXY';
const base = letters.length;
const tail = base ** 5;
/** Coprime to `tail` (odd, and not a multiple of 7), so that no two numbers share a tail. */
const stride = 7_654_321;

/**
 * Serial number of a device: 10 characters, or 12 for one in eight. The last five are a permutation of
 * the number, so serials of a fleet never meet; the first names the fleet, so fleets never meet either.
 */
export function serialOf(seed: number, fleet: number, index: number): string {
  if (index >= tail) throw new RangeError(`A fleet holds at most ${tail} devices.`);
  const length = mix(seed, index, 1) % 8 === 0 ? 12 : 10;
  let head = letters.charAt(10 + (fleet % 18));
  let draw = mix(seed, index, 2);
  for (let i = head.length; i < length - 5; i++) {
    head += letters.charAt(draw % base);
    draw = i === 4 ? mix(seed, index, 3) : Math.floor(draw / base);
  }
  let rest = (index * stride + (mix(seed, fleet, 4) % tail)) % tail;
  let end = '';
  for (let i = 0; i < 5; i++) {
    end += letters.charAt(rest % base);
    rest = Math.floor(rest / base);
  }
  return head + end;
}

export function productOf(seed: number, index: number): Product {
  const product = products[draws[mix(seed, index, 5) % draws.length] ?? 0];
  if (product === undefined) throw new RangeError('The catalogue is empty.');
  return product;
}

const tagGroups = ['SALES', 'IT', 'FIELD', 'RETAIL', 'HQ'];

/** Empty for seven devices in ten. */
export function assetTagOf(seed: number, index: number): string {
  const draw = mix(seed, index, 6);
  if (draw % 10 >= 3) return '';
  return `${tagGroups[(draw >>> 8) % tagGroups.length] ?? 'IT'}-${String(index).padStart(6, '0')}`;
}

/** Three devices to one order. */
export function orderOf(seed: number, index: number): { number: string; daysAgo: number } {
  const order = Math.floor(index / 3);
  return {
    number: `W${String(1_000_000_000 + (mix(seed, order, 7) % 1_000_000_000))}`,
    daysAgo: 20 + (mix(seed, order, 8) % 1200),
  };
}

const hex = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Lower case with colons, no two alike in a fleet. `kind` 0 is Bluetooth, 1 Wi-Fi, 2 Ethernet. */
export function macOf(index: number, kind: number): string {
  const draw = Math.imul((index << 2) | kind, 0x9e3779b1);
  const part = (shift: number) => hex[(draw >>> shift) & 255] ?? '00';
  return `a4:83:${part(0)}:${part(8)}:${part(16)}:${part(24)}`;
}

/** 15 digits, the last one the Luhn check. */
export function imeiOf(index: number, slot: number): string {
  const body = `35674110${String((index * 2 + slot) % 1_000_000).padStart(6, '0')}`;
  let sum = 0;
  for (let i = 0; i < 14; i++) {
    const digit = body.charCodeAt(i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return body + String((10 - (sum % 10)) % 10);
}

/** 32 digits. */
export function eidOf(seed: number, index: number): string {
  const part = (salt: number) => String(mix(seed, index, salt)).padStart(10, '0');
  return `89049032${part(20)}${part(21)}${part(22).slice(0, 4)}`;
}
