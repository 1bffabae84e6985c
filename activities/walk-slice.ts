import { AdeError } from '../apple/ade/errors.ts';
import type { AdeClient, DevicePage } from '../domain/ade.ts';
import { blockError } from '../domain/block-error.ts';
import { unreachable } from '../domain/errors.ts';
import { planAfterPage, planAfterRefusal, waitSecondsAfter } from '../domain/plan-sync.ts';
import type {
  PageCounts,
  RunError,
  SyncPosition,
  SyncRun,
  SyncStore,
  WalkStart,
} from '../domain/sync.ts';
import { refusalOf } from './apple-refusal.ts';
import type { WalkInput, WalkResult } from './walk-input.ts';

export interface SliceDeps {
  sync: SyncStore;
  ade: AdeClient;
  now: () => Date;
  /** From 0 to 1. */
  random: () => number;
  /** Ends the slice between two pages. */
  cancelled: AbortSignal;
  /** A page is committed. */
  onPage: (progress: { cursor: string | null; pages: number; counts: PageCounts }) => void;
}

/** An answer never rejects: one that is fetched ahead may be dropped unseen. */
type Asked = Promise<{ page: DevicePage } | { error: unknown }>;
type Next = { asked: Asked } | WalkResult;

const pagesPerSlice = 200;
const sliceMs = 60_000;

const stuck: RunError = {
  code: 'apple_cursor_stuck',
  message: 'Apple repeats a cursor or keeps refusing it; the next run tries again from there.',
};

/** A walk from where Postgres says it stands. What it throws is worth doing again, from the start. */
export class Slice {
  private readonly startedAt: number;
  private readonly leaving = new AbortController();
  private readonly signal: AbortSignal;
  private run: SyncRun;
  private position: SyncPosition;
  private restarted: boolean;
  private failures: number;
  private pages = 0;
  /** Cursors of this slice's walk: Apple leading in a circle is noticed once round it. */
  private readonly met = new Set<string | null>();

  private readonly deps: SliceDeps;
  private readonly input: WalkInput;
  private readonly begun: WalkStart;

  constructor(deps: SliceDeps, input: WalkInput, begun: WalkStart) {
    this.deps = deps;
    this.input = input;
    this.begun = begun;
    this.signal = AbortSignal.any([deps.cancelled, this.leaving.signal]);
    this.startedAt = deps.now().getTime();
    ({ run: this.run, position: this.position } = begun);
    this.met.add(begun.position.cursor);
    ({ restarted: this.restarted, failures: this.failures } = input);
  }

  async walk(): Promise<WalkResult> {
    try {
      let next: Next = this.ask(this.position);
      while ('asked' in next) {
        const answer: Awaited<Asked> = await next.asked;
        // A cancelled request looks like a broken one, so this comes first.
        if (this.deps.cancelled.aborted) return this.continues();
        next =
          'page' in answer
            ? await this.afterPage(answer.page)
            : await this.afterRefusal(answer.error);
      }
      return next;
    } finally {
      this.leaving.abort();
    }
  }

  private ask(at: SyncPosition): { asked: Asked } {
    const { ade } = this.deps;
    const request = { cursor: at.cursor, limit: this.begun.limit, signal: this.signal };
    const call = at.phase === 'fetch' ? ade.fetchDevices(request) : ade.syncDevices(request);
    return {
      asked: call.then(
        (page) => {
          this.deps.sync.preparePage(page);
          return { page };
        },
        (error: unknown) => ({ error }),
      ),
    };
  }

  private async afterPage(page: DevicePage): Promise<Next> {
    const isLoop = page.moreToFollow && this.met.has(page.cursor);
    this.met.add(page.cursor);
    const step = isLoop ? 'give_up' : planAfterPage(this.position, page).step;
    // While this page is being written, the next one is being fetched.
    const ahead =
      step === 'next_page' && !this.isLastPage()
        ? this.ask({ ...this.position, cursor: page.cursor })
        : null;
    await this.write(page);
    switch (step) {
      case 'next_page':
        return ahead ?? this.continues();
      case 'finish_fetch':
        return this.finishFetch();
      case 'finished':
        return {
          outcome: 'finished',
          run: await this.end(null),
          position: this.position,
          tokenExpiresAt: this.begun.tokenExpiresAt,
        };
      case 'give_up':
        return this.failed(stuck);
      default:
        return unreachable(step);
    }
  }

  private async afterRefusal(error: unknown): Promise<Next> {
    if (!(error instanceof AdeError)) throw error;
    const plan = planAfterRefusal(this.position, error.code, { restarted: this.restarted });
    switch (plan.step) {
      case 'finish_fetch':
        return this.finishFetch();
      case 'restart_fetch':
        return this.restartFetch();
      case 'give_up':
        return this.failed(stuck);
      case 'fail':
        return this.failed(refusalOf(error));
      case 'block':
        return this.blocked(plan.tokenState, error);
      case 'wait':
        return this.waiting(error);
      default:
        return unreachable(plan);
    }
  }

  private async write(page: DevicePage): Promise<void> {
    const from = this.position;
    const written = await this.deps.sync.applyPage({ run: this.run, from, page, now: this.now });
    ({ run: this.run, position: this.position } = written);
    if (this.pages === 0) await this.markToken('valid', null);
    this.pages += 1;
    this.failures = 0;
    const { added, modified, removed, unchanged } = this.run;
    const counts = { added, modified, removed, unchanged };
    this.deps.onPage({ cursor: this.position.cursor, pages: this.pages, counts });
  }

  private async finishFetch(): Promise<Next> {
    const { run, position } = this;
    const done = await this.deps.sync.finishFetch({ run, from: position, now: this.now });
    ({ run: this.run, position: this.position } = done);
    this.met.clear();
    return this.ask(this.position);
  }

  private async restartFetch(): Promise<Next> {
    const { run, position } = this;
    const done = await this.deps.sync.restartFetch({ run, from: position, now: this.now });
    ({ run: this.run, position: this.position } = done);
    this.restarted = true;
    this.met.clear();
    return this.ask(this.position);
  }

  private continues(): WalkResult {
    const { run, position, restarted, failures } = this;
    return { outcome: 'continues', run, position, restarted, failures };
  }

  /** Ends the run in failure; what the walk has written so far stays. */
  async failed(error: RunError): Promise<WalkResult> {
    return { outcome: 'failed', run: await this.end(error), position: this.position };
  }

  private async waiting(error: AdeError): Promise<WalkResult> {
    const { retryAfterSeconds } = error;
    this.failures += 1;
    const seconds = waitSecondsAfter(this.failures, retryAfterSeconds, this.deps.random());
    const nextAttemptAt = new Date(this.now.getTime() + seconds * 1000);
    const waitingFor = refusalOf(error);
    const run = await this.deps.sync.markWaiting({
      run: this.run,
      waitingFor,
      nextAttemptAt,
      now: this.now,
    });
    const { position, restarted, failures } = this;
    const until = nextAttemptAt.toISOString();
    const heldByApple = retryAfterSeconds !== null;
    return {
      outcome: 'waiting',
      run,
      position,
      restarted,
      failures,
      waitingFor,
      until,
      heldByApple,
    };
  }

  private async blocked(
    tokenState: 'rejected' | 'terms_not_signed',
    error: AdeError,
  ): Promise<WalkResult> {
    await this.markToken(tokenState, error.detail === '' ? error.message : error.detail);
    const block = tokenState === 'rejected' ? 'token_rejected' : tokenState;
    // A full fetch goes on in the run it began in: an integration's first stays its oldest.
    if (block === 'terms_not_signed' && this.position.phase === 'fetch') {
      const { run, now } = this;
      const waitingFor = blockError(block);
      await this.deps.sync.markWaiting({ run, waitingFor, nextAttemptAt: null, now });
      return { outcome: 'blocked', block, run: null, tokenExpiresAt: this.begun.tokenExpiresAt };
    }
    // A probe that meets what it knew would otherwise leave a failed run every five minutes.
    const isProbe = this.input.block === block && this.run.trigger === 'schedule';
    const run = isProbe ? null : await this.end(blockError(block));
    return { outcome: 'blocked', block, run, tokenExpiresAt: this.begun.tokenExpiresAt };
  }

  private async markToken(
    tokenState: 'valid' | 'rejected' | 'terms_not_signed',
    detail: string | null,
  ): Promise<void> {
    const { integrationId } = this.input;
    const { tokenExpiresAt } = this.begun;
    const said = { integrationId, tokenExpiresAt, tokenState, detail, now: this.now };
    await this.deps.sync.markTokenState(said);
  }

  private async end(error: RunError | null): Promise<SyncRun> {
    const state = error === null ? 'succeeded' : 'failed';
    this.run = await this.deps.sync.finishRun({ run: this.run, state, error, now: this.now });
    return this.run;
  }

  private isLastPage(): boolean {
    const late = this.now.getTime() - this.startedAt >= sliceMs;
    return late || this.pages + 1 >= pagesPerSlice;
  }

  private get now(): Date {
    return this.deps.now();
  }
}
