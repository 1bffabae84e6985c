import { appleCallBuckets, type AppleCallTally } from '../../domain/apple-calls.ts';
import type { MetricFamily, MetricSample } from './exposition.ts';

/** Calls to Apple of all processes together, as a histogram by endpoint and code. */
export function appleCallMetrics(tallies: readonly AppleCallTally[]): MetricFamily[] {
  const groups = byCall(tallies);
  return [
    {
      name: 'abm_apple_calls_total',
      help: 'Calls to Apple by endpoint and code (ok or the refusal)',
      type: 'counter',
      samples: groups.map((group) => ({ labels: labelsOf(group), value: total(group, 'calls') })),
    },
    {
      name: 'abm_apple_call_duration_seconds',
      help: 'Durations of calls to Apple by endpoint and code',
      type: 'histogram',
      samples: groups.flatMap(histogram),
    },
  ];
}

function byCall(tallies: readonly AppleCallTally[]): AppleCallTally[][] {
  const groups = new Map<string, AppleCallTally[]>();
  for (const tally of tallies) {
    const name = `${tally.endpoint} ${tally.code}`;
    groups.set(name, [...(groups.get(name) ?? []), tally]);
  }
  return [...groups.values()];
}

function histogram(group: AppleCallTally[]): MetricSample[] {
  const labels = labelsOf(group);
  const upTo = (bound: number) =>
    total(
      group.filter(({ upToSeconds }) => upToSeconds !== null && upToSeconds <= bound),
      'calls',
    );
  return [
    ...appleCallBuckets.map((bound) => ({
      suffix: '_bucket',
      labels: { ...labels, le: String(bound) },
      value: upTo(bound),
    })),
    { suffix: '_bucket', labels: { ...labels, le: '+Inf' }, value: total(group, 'calls') },
    { suffix: '_sum', labels, value: total(group, 'seconds') },
    { suffix: '_count', labels, value: total(group, 'calls') },
  ];
}

function labelsOf([first]: readonly AppleCallTally[]): { endpoint: string; code: string } {
  return { endpoint: first?.endpoint ?? '', code: first?.code ?? '' };
}

const total = (group: readonly AppleCallTally[], field: 'calls' | 'seconds') =>
  group.reduce((sum, tally) => sum + tally[field], 0);
