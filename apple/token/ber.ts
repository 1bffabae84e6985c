/**
 * A strict reader of BER (ITU-T X.690 §8), as much of it as CMS needs. Apple's token is BER with
 * indefinite lengths, which DER parsers refuse. Written for hostile input: no length is believed
 * before it is compared with the bytes at hand, and depth and number of elements are bounded.
 */

/** The bytes are not BER, or are not the ASN.1 type that was expected there. */
export class BerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BerError';
  }
}

type TagClass = 'universal' | 'application' | 'context' | 'private';

export interface BerElement {
  tagClass: TagClass;
  tag: number;
  constructed: boolean;
  /** Without tag, length and end-of-contents octets. */
  content: Uint8Array;
  /** Empty for a primitive element. */
  children: BerElement[];
}

const tagClasses = ['universal', 'application', 'context', 'private'] as const;
const maxDepth = 32;
const maxElements = 100_000;

interface Reader {
  bytes: Uint8Array;
  position: number;
  elements: number;
}

/** Reads one element. Blank bytes after it are let go, since editors add them; others are not. */
export function readBer(bytes: Uint8Array): BerElement {
  const reader = { bytes, position: 0, elements: 0 };
  const element = readElement(reader, bytes.length, 0);
  const rest = bytes.subarray(reader.position);
  if (!rest.every((byte) => byte === 0x0a || byte === 0x0d || byte === 0x20 || byte === 0))
    throw new BerError('bytes after the end');
  return element;
}

function readElement(reader: Reader, end: number, depth: number): BerElement {
  if (depth > maxDepth) throw new BerError('nested too deep');
  if (++reader.elements > maxElements) throw new BerError('too many elements');

  const identifier = readByte(reader, end);
  const tagClass = tagClasses[identifier >> 6] ?? 'universal';
  const constructed = (identifier & 0x20) !== 0;
  const tag = identifier & 0x1f;
  if (tag === 0x1f) throw new BerError('long tag');
  if (identifier === 0) throw new BerError('end-of-contents without a beginning');

  const length = readLength(reader, end);
  if (length === 'indefinite' && !constructed) throw new BerError('primitive of indefinite length');

  const start = reader.position;
  const children: BerElement[] = [];
  if (length === 'indefinite') {
    while (!atEndOfContents(reader, end)) children.push(readElement(reader, end, depth + 1));
    const content = reader.bytes.subarray(start, reader.position);
    reader.position += 2;
    return { tagClass, tag, constructed, content, children };
  }

  const contentEnd = start + length;
  if (constructed)
    while (reader.position < contentEnd) children.push(readElement(reader, contentEnd, depth + 1));
  reader.position = contentEnd;
  return {
    tagClass,
    tag,
    constructed,
    content: reader.bytes.subarray(start, contentEnd),
    children,
  };
}

function readByte(reader: Reader, end: number): number {
  const byte = reader.position < end ? reader.bytes[reader.position] : undefined;
  if (byte === undefined) throw new BerError('cut off');
  reader.position += 1;
  return byte;
}

function readLength(reader: Reader, end: number): number | 'indefinite' {
  const first = readByte(reader, end);
  if (first === 0x80) return 'indefinite';
  let length = first;
  if (first > 0x80) {
    const octets = first & 0x7f;
    if (octets > 4) throw new BerError('length beyond the end');
    length = 0;
    for (let i = 0; i < octets; i++) length = length * 256 + readByte(reader, end);
  }
  if (length > end - reader.position) throw new BerError('length beyond the end');
  return length;
}

function atEndOfContents(reader: Reader, end: number): boolean {
  if (reader.position + 2 > end) throw new BerError('cut off');
  return reader.bytes[reader.position] === 0 && reader.bytes[reader.position + 1] === 0;
}

const universalTags = { integer: 2, octetString: 4, oid: 6, sequence: 16, set: 17 } as const;

export function isUniversal(element: BerElement, type: keyof typeof universalTags): boolean {
  return element.tagClass === 'universal' && element.tag === universalTags[type];
}

/** The members of a SEQUENCE or SET. */
export function members(element: BerElement | undefined, type: 'sequence' | 'set'): BerElement[] {
  if (element?.constructed !== true || !isUniversal(element, type))
    throw new BerError(`expected a ${type}`);
  return element.children;
}

/** The bytes of an OBJECT IDENTIFIER in hexadecimal: enough to compare, so nothing decodes them. */
export function oidHex(element: BerElement | undefined): string {
  if (!element || element.constructed || !isUniversal(element, 'oid'))
    throw new BerError('expected an object identifier');
  return Buffer.from(element.content).toString('hex');
}

/** An INTEGER in hexadecimal without leading zeros, so that differently padded ones are equal. */
export function integerHex(element: BerElement | undefined): string {
  if (!element || element.constructed || !isUniversal(element, 'integer'))
    throw new BerError('expected an integer');
  return Buffer.from(element.content)
    .toString('hex')
    .replace(/^(00)+/, '');
}

/** An OCTET STRING in one piece or in chunks, nested or not (X.690 §8.7). */
export function octets(element: BerElement | undefined): Uint8Array {
  if (!element || !isUniversal(element, 'octetString'))
    throw new BerError('expected an octet string');
  return implicitOctets(element);
}

/** The same where the tag of the string itself is replaced: `[0] IMPLICIT OCTET STRING`. */
export function implicitOctets(element: BerElement): Uint8Array {
  return element.constructed ? Buffer.concat(element.children.map(octets)) : element.content;
}
