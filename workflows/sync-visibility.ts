/** How a sync loop looks to people: the status query, and the Temporal UI. */
import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { SyncRun } from '../domain/sync.ts';
import { searchAttributes, type SyncCarry, type SyncStatus } from './contract.ts';

type Phase = SyncStatus['phase'];

export function statusOf(state: SyncCarry, walking: boolean): SyncStatus {
  const run = state.open?.run ?? null;
  return {
    phase: phaseOf(state, walking),
    position: state.position,
    run: run === null ? null : { id: run.id, pages: run.pages, counts: countsOf(run) },
    waitingFor: state.waitingFor,
    nextActionAt: walking ? null : new Date(state.nextLookAt).toISOString(),
    lastRun: state.lastRun,
  };
}

/**
 * Search attributes change only when the loop settles into something else, so that an idle cycle
 * writes none of them; the details cost no history.
 */
export function show(state: SyncCarry): void {
  const settled = { stage: phaseOf(state, false), status: statusWord(state) };
  const shown = workflowInfo().typedSearchAttributes;
  const changes = (['stage', 'status'] as const)
    .map((name) => ({
      key: { name: searchAttributes[name], type: 'KEYWORD' as const },
      value: settled[name],
    }))
    .filter(({ key, value }) => shown.get(key) !== value);
  if (changes.length > 0) upsertSearchAttributes(changes);
  setCurrentDetails(detailsOf(state, settled.stage));
}

function phaseOf(state: SyncCarry, walking: boolean): Phase {
  if (walking) return state.position === null && state.lastRun === null ? 'starting' : 'walking';
  if (state.block !== null) return state.block === 'paused' ? 'paused' : 'blocked';
  if (state.waitingFor !== null) return 'waiting';
  if (state.open !== null) return 'walking';
  return state.lastRun === null ? 'starting' : 'idle';
}

function statusWord(state: SyncCarry): string {
  return state.block ?? state.waitingFor?.code ?? state.lastRun?.error?.code ?? 'ok';
}

function detailsOf(state: SyncCarry, phase: Phase): string {
  const { block, waitingFor, lastRun, open } = state;
  const next = new Date(state.nextLookAt).toISOString();
  return [
    `**${phase}**${block === null ? '' : `: ${block}`}, acts next by itself at ${next}`,
    waitingFor &&
      `- waiting for: ${waitingFor.message} (\`${waitingFor.code}\`, ${state.failures} in a row)`,
    open?.run && `- this run: ${describe(open.run)}`,
    lastRun && `- last run: ${describe(lastRun)}`,
    state.tokenExpiresAt !== null &&
      `- the server token expires at ${new Date(state.tokenExpiresAt).toISOString()}`,
  ]
    .filter((line) => typeof line === 'string')
    .join('\n');
}

function describe(run: SyncRun): string {
  const { added, modified, removed, unchanged } = countsOf(run);
  const ended = run.finishedAt === null ? '' : ` at ${run.finishedAt}`;
  const error = run.error === null ? '' : `: ${run.error.message} (\`${run.error.code}\`)`;
  return (
    `${run.mode} by ${run.trigger}, ${run.state}${ended}, ${run.pages} pages: ` +
    `${added} added, ${modified} modified, ${removed} removed, ${unchanged} unchanged${error}`
  );
}

function countsOf({ added, modified, removed, unchanged }: SyncRun) {
  return { added, modified, removed, unchanged };
}
