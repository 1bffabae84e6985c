const colours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const paint = (code: number) => (text: string) =>
  colours ? `\u001b[${code}m${text}\u001b[0m` : text;

export const dim = paint(2);
export const bold = paint(1);
export const red = paint(31);
export const cyan = paint(36);

// A terminal that is gone must not end us before everything is stopped.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

/** One line of what goes on, under the name of the part that it is about. */
export function say(name: string, text: string): void {
  const time = new Date().toTimeString().slice(0, 8);
  for (const line of text.split('\n')) console.log(`${dim(time)} ${cyan(name.padEnd(9))} ${line}`);
}

/** `name   value` lines, the values under each other. */
export function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
}
