import { createWriteStream, renameSync, statSync, type WriteStream } from 'node:fs';
import path from 'node:path';
import { formatLine } from './log-line.ts';

const maxFileBytes = 20 * 1024 * 1024;
const burstLines = 15;
const burstMs = 10_000;

export interface PartLog {
  line: (text: string, stream: 'stdout' | 'stderr') => void;
  /** What it said last and nobody has seen, for a message about its end. */
  lastLines(): string[];
  file: string;
}

export interface PartLogOptions {
  name: string;
  dir: string;
  /** Pino's number of the lowest level that a person sees; null: only the file gets it. */
  printFrom: number | null;
  print: (text: string) => void;
}

/** Everything goes to a file that is turned over at 20 MB; a person sees what matters, and no flood. */
export function openPartLog({ name, dir, printFrom, print }: PartLogOptions): PartLog {
  const file = path.join(dir, `${name}.log`);
  let size = sizeOf(file);
  let stream = open(file);
  let recent: string[] = [];
  let windowStart = 0;
  let shown = 0;

  const turnOver = () => {
    stream.end();
    renameSync(file, `${file}.1`);
    stream = open(file);
    size = 0;
  };

  const show = (text: string) => {
    const now = Date.now();
    if (now - windowStart > burstMs) {
      windowStart = now;
      shown = 0;
    }
    shown += 1;
    if (shown <= burstLines) print(text);
    else if (shown === burstLines + 1) print(`… more of ${name} in ${file}`);
  };

  return {
    file,
    lastLines: () => (printFrom === null ? recent : []),
    line: (text, source) => {
      const bytes = Buffer.byteLength(text) + 1;
      if (size + bytes > maxFileBytes && size > 0) turnOver();
      size += bytes;
      stream.write(`${text}\n`);
      recent = [...recent, text].slice(-8);
      if (printFrom === null) return;
      const readable = formatLine(text, source, printFrom);
      if (readable !== null) show(readable);
    },
  };
}

function open(file: string): WriteStream {
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  // A full disk must not end the service whose log it is.
  stream.on('error', () => undefined);
  return stream;
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
