/**
 * `Retry-After` in seconds from `now`: a number of seconds or an HTTP date in any of its three forms;
 * null when absent or neither. A date that has passed is 0. RFC 9110 §10.2.3, §5.6.7.
 */
export function readRetryAfter(header: string | null, now: Date): number | null {
  const value = header?.trim() ?? '';
  if (/^\d{1,10}$/.test(value)) return Number(value);
  // Date.parse takes much that is no HTTP date ("-5" is the month of May), so the form comes first.
  const isDate = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d\d:\d\d:\d\d/.test(value);
  if (!isDate) return null;
  const at = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now.getTime()) / 1000));
}
