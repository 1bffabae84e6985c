/** How a figure is printed: what it is, what it came to, and whether that is within its bound. */
export function report(title: string, figures: Record<string, string>): void {
  console.log(`\n${title}`);
  for (const [name, value] of Object.entries(figures)) console.log(`  ${name.padEnd(34)} ${value}`);
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function ratio(value: number, bound: number): string {
  return `${value.toFixed(2)} × (bound ${bound} ×, ${value <= bound ? 'held' : 'MISSED'})`;
}

export function atMost(value: number, bound: number, unit = ''): string {
  return `${Math.round(value * 10) / 10}${unit} (bound ${bound}${unit}, ${value <= bound ? 'held' : 'MISSED'})`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
