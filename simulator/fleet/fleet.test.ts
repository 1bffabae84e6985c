import { describe, expect, test } from 'vitest';
import type { Change } from './change-log.ts';
import { products } from './catalog.ts';
import { imeiOf, macOf } from './facts.ts';
import { Fleet } from './fleet.ts';
import { describeDevice, renderDevice } from './render.ts';

const silent = () => undefined;

describe('a fleet', () => {
  test('of 20,000 has 20,000 serials of 10 or 12 characters that could be Apple’s', () => {
    const { serials } = new Fleet(7, 0, 20_000, silent);
    expect(new Set(serials).size).toBe(20_000);
    expect(serials.every((serial) => /^[A-Z][0-9C-Y]{9}([0-9C-Y]{2})?$/.test(serial))).toBe(true);
    expect(new Set(serials.map((serial) => serial.length))).toEqual(new Set([10, 12]));
  });

  test('is the same for the same seed, and shares no serial with its neighbour', () => {
    const one = new Fleet(7, 0, 2000, silent);
    const again = new Fleet(7, 0, 2000, silent);
    const other = new Fleet(8, 0, 2000, silent);
    const neighbour = new Fleet(7, 1, 2000, silent);
    const all = (fleet: Fleet) => fleet.serials.map((_, n) => renderDevice(fleet, n, 10));

    expect(all(one)).toEqual(all(again));
    expect(all(other)).not.toEqual(all(one));
    expect(new Set([...one.serials, ...neighbour.serials]).size).toBe(4000);
  });

  test('that has grown is the fleet that would have been that large', () => {
    const grown = new Fleet(7, 0, 10, silent);
    grown.grow(5);
    expect(grown.serials).toEqual(new Fleet(7, 0, 15, silent).serials);
  });

  test('has every family, most of them iPhones and iPads, some without color, some with a tag', () => {
    const fleet = new Fleet(7, 0, 5000, silent);
    const devices = fleet.serials.map((_, n) => describeDevice(fleet, n, 10));
    const share = (is: (device: (typeof devices)[number]) => boolean) =>
      devices.filter(is).length / devices.length;

    expect(new Set(devices.map((device) => device.device_family))).toEqual(
      new Set(['iPhone', 'iPad', 'Mac', 'AppleTV', 'Vision']),
    );
    expect(
      share((d) => d.device_family === 'iPhone' || d.device_family === 'iPad'),
    ).toBeGreaterThan(0.6);
    expect(share((d) => d.color === undefined)).toBeGreaterThan(0.05);
    expect(share((d) => d.asset_tag !== '')).toBeCloseTo(0.3, 1);
    expect(new Set(devices.map((device) => device.description)).size).toBeGreaterThan(150);
  });
});

test('the catalogue holds a few hundred products, in ASCII', () => {
  expect(products.length).toBeGreaterThan(200);
  expect(products.every((product) => /^[ -~]*$/.test(product.model + product.description))).toBe(
    true,
  );
});

test('an IMEI ends in its Luhn digit', () => {
  const digits = Array.from(imeiOf(123, 1), Number).reverse();
  const sum = digits.reduce((total, digit, n) => {
    const weighted = n % 2 === 1 ? digit * 2 : digit;
    return total + (weighted > 9 ? weighted - 9 : weighted);
  }, 0);
  expect(digits).toHaveLength(15);
  expect(sum % 10).toBe(0);
});

test('no two network interfaces of a fleet share an address', () => {
  const all = Array.from({ length: 5000 }, (_, device) =>
    [0, 1, 2].map((kind) => macOf(device, kind)),
  );
  expect(new Set(all.flat()).size).toBe(15_000);
  expect(macOf(77, 1)).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
});

describe('a change', () => {
  test('is told to the servers it concerns, with dates that grow per device', () => {
    const told: (Change & { server: number })[] = [];
    const fleet = new Fleet(7, 0, 3, (server, device, operation, at, state) => {
      told.push({ server, device, operation, at, state });
    });
    const to = (server: number) => {
      fleet.change([0, 1], 100, (state) => ({ ...state, server }));
    };

    to(1);
    to(2);
    to(0);

    expect(
      told.map(({ server, device, operation, at }) => [server, device, operation, at]),
    ).toEqual([
      [1, 0, 'added', 100],
      [1, 1, 'added', 100],
      [1, 0, 'deleted', 101],
      [2, 0, 'added', 102],
      [1, 1, 'deleted', 101],
      [2, 1, 'added', 102],
      [2, 0, 'deleted', 103],
      [2, 1, 'deleted', 103],
    ]);
    expect([0, 1, 2].map((server) => fleet.countOn(server))).toEqual([3, 0, 0]);
  });

  test('that changes nothing is not told, and a released device does not change', () => {
    const told: string[] = [];
    const fleet = new Fleet(7, 0, 2, (_, __, operation) => told.push(operation));
    fleet.change([0], 1, (state) => ({ ...state, server: 1 }));
    fleet.change([0], 2, (state) => state);
    fleet.change([0], 3, (state) => ({ ...state, server: -1 }));
    fleet.change([0], 4, (state) => ({ ...state, server: 1 }));
    expect(told).toEqual(['added', 'deleted']);
  });
});
