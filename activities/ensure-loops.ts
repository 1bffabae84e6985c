import type { IntegrationStore } from '../domain/integration.ts';

export interface EnsureLoopsDeps {
  integrations: Pick<IntegrationStore, 'listIds'>;
  /** Starts the loop of an integration; does nothing where it runs. */
  startLoop: (integrationId: string) => Promise<void>;
}

const atOnce = 10;

/** Safe to run twice: a loop that runs is left alone. */
export function createEnsureLoops({ integrations, startLoop }: EnsureLoopsDeps) {
  return async function ensureLoops(): Promise<{ loops: number }> {
    const ids = await integrations.listIds();
    for (let at = 0; at < ids.length; at += atOnce)
      await Promise.all(ids.slice(at, at + atOnce).map((id) => startLoop(id)));
    return { loops: ids.length };
  };
}
