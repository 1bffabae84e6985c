import { isGrpcServiceError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';

/** gRPC status codes by number: https://grpc.io/docs/guides/status-codes/ */
const cancelled = 1;
const deadlineExceeded = 4;
const away = new Set([
  cancelled,
  deadlineExceeded,
  8, // RESOURCE_EXHAUSTED
  14, // UNAVAILABLE
]);

/** Our own deadline passed: nothing is known but that there was no answer in time. */
export function isRpcTimeout(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const code = grpcCode(error);
  return code === deadlineExceeded || code === cancelled;
}

/** Temporal cannot be reached or will not take the call now. */
export function isTemporalOutage(error: unknown): boolean {
  const code = grpcCode(error);
  return (
    error instanceof WorkflowUpdateRPCTimeoutOrCancelledError || (code !== null && away.has(code))
  );
}

/** The client wraps the status of a call in errors of its own. */
function grpcCode(error: unknown): number | null {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1)
    if (isGrpcServiceError(at)) return at.code;
  return null;
}
