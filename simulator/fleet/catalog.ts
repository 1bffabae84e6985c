/**
 * What a fleet is made of. Names look like the ones that Apple sends: a model, and a description in
 * capitals that spells connectivity, size, color and region.
 */

export type Family = 'iPhone' | 'iPad' | 'Mac' | 'AppleTV' | 'Vision';
export const families: readonly Family[] = ['iPhone', 'iPad', 'Mac', 'AppleTV', 'Vision'];

interface Line {
  family: Family;
  os: string;
  /** Share of a fleet, relative to the other lines. */
  weight: number;
  models: string[];
  /** An empty color is one that Apple leaves out. */
  colors: string[];
  sizes: string[];
}

const lines: Line[] = [
  {
    family: 'iPhone',
    os: 'iOS',
    weight: 18,
    models: ['iPhone 13', 'iPhone 14', 'iPhone 15', 'iPhone 16', 'iPhone 16e'],
    colors: ['Black', 'Blue', 'Pink', 'White', ''],
    sizes: ['128GB', '256GB'],
  },
  {
    family: 'iPhone',
    os: 'iOS',
    weight: 14,
    models: ['iPhone 14 Pro', 'iPhone 15 Pro', 'iPhone 16 Pro', 'iPhone 16 Pro Max'],
    colors: ['Natural Titanium', 'Black Titanium', 'White Titanium'],
    sizes: ['128GB', '256GB', '512GB'],
  },
  {
    family: 'iPhone',
    os: 'iOS',
    weight: 6,
    models: ['iPhone SE (2nd generation)', 'iPhone SE (3rd generation)'],
    colors: ['Midnight', 'Starlight', ''],
    sizes: ['64GB', '128GB'],
  },
  {
    family: 'iPad',
    os: 'iPadOS',
    weight: 20,
    models: ['iPad (8th generation)', 'iPad (9th generation)', 'iPad (10th generation)'],
    colors: ['Silver', 'Space Gray', ''],
    sizes: ['WI-FI 64GB', 'WI-FI 256GB', 'CELLULAR 64GB'],
  },
  {
    family: 'iPad',
    os: 'iPadOS',
    weight: 10,
    models: ['iPad Air (5th generation)', 'iPad Air 11-inch (M2)', 'iPad mini (6th generation)'],
    colors: ['Space Gray', 'Blue', 'Purple', 'Starlight'],
    sizes: ['WI-FI 128GB', 'WI-FI 256GB', 'CELLULAR 128GB'],
  },
  {
    family: 'iPad',
    os: 'iPadOS',
    weight: 5,
    models: ['iPad Pro 11-inch (M4)', 'iPad Pro 12.9-inch (6th generation)'],
    colors: ['Silver', 'Space Black'],
    sizes: ['WI-FI 256GB', 'CELLULAR 512GB', 'WI-FI 1TB'],
  },
  {
    family: 'Mac',
    os: 'OSX',
    weight: 12,
    models: ['MacBook Air (M1, 2020)', 'MacBook Air (13-inch, M2)', 'MacBook Air (15-inch, M3)'],
    colors: ['Midnight', 'Silver', 'Space Gray', 'Starlight'],
    sizes: ['13.6"/8GB/256GB', '15.3"/16GB/512GB'],
  },
  {
    family: 'Mac',
    os: 'OSX',
    weight: 9,
    models: ['MacBook Pro (14-inch, M3)', 'MacBook Pro (14-inch, M4)', 'MacBook Pro (16-inch, M4)'],
    colors: ['Space Black', 'Silver'],
    sizes: ['14.2"/16GB/512GB', '16.2"/24GB/512GB', '16.2"/48GB/1TB'],
  },
  {
    family: 'Mac',
    os: 'OSX',
    weight: 3,
    models: ['Mac mini (M2)', 'Mac mini (M4)', 'iMac (24-inch, M4)', 'Mac Studio (M2)'],
    colors: ['Silver', ''],
    sizes: ['8GB/256GB', '16GB/512GB'],
  },
  {
    family: 'AppleTV',
    os: 'tvOS',
    weight: 2,
    models: ['Apple TV 4K (2nd generation)', 'Apple TV 4K (3rd generation)'],
    colors: ['Black', ''],
    sizes: ['32GB', '64GB', '128GB'],
  },
  {
    family: 'Vision',
    os: 'visionOS',
    weight: 1,
    models: ['Apple Vision Pro'],
    colors: ['', 'Silver'],
    sizes: ['256GB', '512GB', '1TB'],
  },
];

export interface Product {
  family: Family;
  os: string;
  model: string;
  description: string;
  color: string;
  cellular: boolean;
  ethernet: boolean;
}

export const products: readonly Product[] = lines.flatMap((line) =>
  line.models.flatMap((model) =>
    line.sizes.flatMap((size) =>
      line.colors.map((color) => ({
        family: line.family,
        os: line.os,
        model,
        description: [model, size, color].join(' ').trim().toUpperCase() + '-USA',
        color,
        cellular: line.family === 'iPhone' || size.startsWith('CELLULAR'),
        ethernet: line.family === 'AppleTV' || /^(Mac mini|iMac|Mac Studio)/.test(model),
      })),
    ),
  ),
);

/** For each of 4096 draws a product: a line by its weight, then one of the line's products. */
export const draws: readonly number[] = (() => {
  const total = lines.reduce((sum, line) => sum + line.weight, 0);
  const drawn: number[] = [];
  let first = 0;
  let reached = 0;
  for (const line of lines) {
    const count = line.models.length * line.sizes.length * line.colors.length;
    reached += line.weight;
    const end = Math.round((4096 * reached) / total);
    // Neighbours in the table differ, so that a line's products come evenly.
    for (let i = 0; drawn.length < end; i++) drawn.push(first + (i % count));
    first += count;
  }
  return drawn;
})();
