import type { EndpointName } from './ade/endpoints.ts';

interface EndpointCounts {
  calls: number;
  byStatus: Record<string, number>;
  /** Refusals by Apple's word. */
  byCode: Record<string, number>;
}

export interface AssignCall {
  /** Seconds since 1970, simulated. */
  at: number;
  server: string;
  profileUuid: string;
  serials: number;
}

/** What was asked of Apple's side since the last reset. */
export class Statistics {
  endpoints: Partial<Record<EndpointName, EndpointCounts>> = {};
  assignCalls: AssignCall[] = [];
  devicesServed = 0;
  /** Most calls at one moment. */
  maxConcurrent = 0;
  #concurrent = 0;

  begin(): void {
    this.#concurrent += 1;
    this.maxConcurrent = Math.max(this.maxConcurrent, this.#concurrent);
  }

  /** `status` 0: the connection was cut. */
  end(endpoint: EndpointName, status: number, code: string | null): void {
    this.#concurrent -= 1;
    const counts = (this.endpoints[endpoint] ??= { calls: 0, byStatus: {}, byCode: {} });
    counts.calls += 1;
    counts.byStatus[status] = (counts.byStatus[status] ?? 0) + 1;
    if (code !== null) counts.byCode[code] = (counts.byCode[code] ?? 0) + 1;
  }

  assigned(call: AssignCall): void {
    this.assignCalls.push(call);
    if (this.assignCalls.length > 10_000) this.assignCalls.shift();
  }

  reset(): void {
    this.endpoints = {};
    this.assignCalls = [];
    this.devicesServed = 0;
    this.maxConcurrent = this.#concurrent;
  }
}
