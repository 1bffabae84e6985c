import { renderDevice } from './fleet/render.ts';
import type { World } from './world.ts';

const SLICE = 500;

/**
 * Writes out the facts of every device while nobody waits, so that the first walk over a large fleet is
 * served as fast as the second. Gives back how to stop it.
 */
export function warmUp(world: World): () => void {
  const work = world.organizations.flatMap(({ fleet }) =>
    Array.from({ length: Math.ceil(fleet.size / SLICE) }, (_, n) => ({ fleet, from: n * SLICE })),
  );
  let next = 0;
  let timer: NodeJS.Immediate | null = null;
  const step = () => {
    const slice = work[next];
    if (slice === undefined) return;
    next += 1;
    const end = Math.min(slice.from + SLICE, slice.fleet.size);
    for (let device = slice.from; device < end; device++) renderDevice(slice.fleet, device, 10);
    timer = setImmediate(step).unref();
  };
  step();
  return () => {
    if (timer !== null) clearImmediate(timer);
  };
}
