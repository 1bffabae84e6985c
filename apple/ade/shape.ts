/**
 * Reading a reply field by field, by hand: a page holds a thousand devices, and a schema library costs
 * several times what the parse of its JSON does.
 */

/** A part that Apple promises is missing or of another kind. `field` is its path, as `devices.17.os`. */
export class ShapeError extends Error {
  readonly field: string;

  constructor(field: string, expected: string) {
    super(`${field} is not ${expected}`);
    this.name = 'ShapeError';
    this.field = field;
  }
}

export type WireObject = Record<string, unknown>;

export function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function requireObject(value: unknown, field: string): WireObject {
  if (isObject(value)) return value;
  throw new ShapeError(field, 'an object');
}

export function requireArray(value: unknown, field: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ShapeError(field, 'a list');
}

export function requireText(value: unknown, field: string): string {
  const text = readText(value);
  if (text !== null) return text;
  throw new ShapeError(field, 'a text');
}

export function requireBoolean(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new ShapeError(field, 'true or false');
}

/** Apple leaves a field out, sends null or sends '': all three say "nothing". */
export function readText(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  // No text column takes a NUL, and one device must not hold up a page for ever.
  return value.includes('\0') ? readText(value.replaceAll('\0', '')) : value;
}

export function readPositiveInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

const digit = (text: string, at: number): number => text.charCodeAt(at) - 48;
const pair = (text: string, at: number): number => digit(text, at) * 10 + digit(text, at + 1);
const appleDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const monthDays = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** Before there was a service to assign anything: `0001-01-01…` and the epoch say "never". */
const firstYear = 2000;

/**
 * A date as ISO 8601 UTC, in whole seconds unless Apple sends fractions; null when absent, zero or no
 * date. Apple's own form, which is all but every one, is passed on without a Date being made.
 */
export function readDate(value: unknown): string | null {
  if (typeof value !== 'string' || value === '') return null;
  if (appleDate.test(value)) {
    const year = pair(value, 0) * 100 + pair(value, 2);
    const month = pair(value, 5);
    const day = pair(value, 8);
    const isReal =
      day >= 1 &&
      day <= (monthDays[month - 1] ?? 0) &&
      (month !== 2 || day < 29 || isLeapYear(year)) &&
      pair(value, 11) < 24 &&
      pair(value, 14) < 60 &&
      pair(value, 17) < 60;
    return isReal && year >= firstYear ? value : null;
  }
  // Without a zone, Date.parse would read our own clock's zone into it.
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:?\d\d)$/.test(value)) return null;
  const at = new Date(value);
  if (Number.isNaN(at.getTime()) || at.getUTCFullYear() < firstYear) return null;
  return at.toISOString().replace('.000Z', 'Z');
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
