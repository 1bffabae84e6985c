import { setTimeout as sleep } from 'node:timers/promises';

/** A probe that resolves when a URL answers 200, for as long as it is not aborted. */
export function answersOk(url: string): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    while (!signal.aborted) {
      if (await isOk(url)) return;
      await sleep(100);
    }
  };
}

async function isOk(url: string): Promise<boolean> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(5_000) });
    await reply.arrayBuffer();
    return reply.ok;
  } catch {
    return false;
  }
}
