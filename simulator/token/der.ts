/** Just enough ASN.1: writing tagged values in definite (DER) or indefinite (BER) length, and reading headers. */

const END_OF_CONTENTS = Buffer.from([0, 0]);

function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const bytes: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export function tagged(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
}

/** X.690 8.1.3.6: the length is left open and two zero bytes end the value. */
export function indefinite(tag: number, ...content: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([tag, 0x80]), ...content, END_OF_CONTENTS]);
}

export function objectId(dotted: string): Buffer {
  const arcs = dotted.split('.').map(Number);
  const bytes = [(arcs[0] ?? 0) * 40 + (arcs[1] ?? 0)];
  for (const arc of arcs.slice(2)) {
    const digits = [arc % 128];
    for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
      digits.unshift(0x80 | (rest % 128));
    }
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}

export interface Value {
  tag: number;
  /** Header and content. */
  whole: Buffer;
  content: Buffer;
}

/** The DER values that follow one another in `bytes`. Throws RangeError where a value is cut off. */
export function readValues(bytes: Buffer): Value[] {
  const values: Value[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const extra = first < 0x80 ? 0 : first & 0x7f;
    const size = extra === 0 ? first : bytes.readUIntBE(at + 2, extra);
    const start = at + 2 + extra;
    if (start + size > bytes.length) throw new RangeError('A value is longer than what holds it.');
    values.push({
      tag,
      whole: bytes.subarray(at, start + size),
      content: bytes.subarray(start, start + size),
    });
    at = start + size;
  }
  return values;
}
