import type { EndpointName } from '../ade/endpoints.ts';

/**
 * Every fault by its name. The first names are those of Apple's own simulator (depsim), as far as they
 * are known; the rest are what people have met in the field since.
 */

interface Refusing {
  kind: 'refusal';
  status: number;
  body: string;
  endpoints?: readonly EndpointName[];
  about: string;
}

interface Shaping {
  kind: 'transport' | 'page' | 'serial' | 'session' | 'style';
  endpoints?: readonly EndpointName[];
  about: string;
}

const pages = ['fetch', 'sync'] as const;
const serials = ['assign', 'remove', 'disown', 'define_profile'] as const;
const assigning = ['assign', 'define_profile'] as const;

const refusal = (
  status: number,
  body: string,
  about: string,
  endpoints?: readonly EndpointName[],
): Refusing => ({ kind: 'refusal', status, body, about, ...(endpoints && { endpoints }) });

const shaping = (
  kind: Shaping['kind'],
  about: string,
  endpoints?: readonly EndpointName[],
): Shaping => ({ kind, about, ...(endpoints && { endpoints }) });

export const faultCatalog = {
  bad_request: refusal(400, 'oauth_problem_adviceBad Request', 'a bare bad request'),
  forbidden_access_denied: refusal(403, 'ACCESS_DENIED', 'no access to the service'),
  forbidden_t_c_not_signed: refusal(403, 'T_C_NOT_SIGNED', 'new terms are not accepted'),
  invalid_method: refusal(405, 'METHOD_NOT_ALLOWED', 'the verb is wrong'),
  unauthorized: refusal(401, 'UNAUTHORIZED', 'no session, or one that has run out'),
  too_many_requests: refusal(429, 'TOO_MANY_REQUESTS', 'params: retryAfterSeconds, retryAfterForm'),
  malformed_request_body: refusal(400, 'MALFORMED_REQUEST_BODY', 'the body cannot be read'),
  invalid_cursor: refusal(400, 'INVALID_CURSOR', 'a cursor of nobody', pages),
  exhausted_cursor: refusal(400, 'EXHAUSTED_CURSOR', 'a cursor with nothing left', pages),
  expired_cursor: refusal(400, 'EXPIRED_CURSOR', 'a cursor older than 7 days', pages),
  cursor_required: refusal(400, 'CURSOR_REQUIRED', 'a delta without a cursor', ['sync']),
  device_id_required: refusal(400, 'DEVICE_ID_REQUIRED', 'no serials', [...serials, 'details']),
  profile_uuid_required: refusal(400, 'PROFILE_UUID_REQUIRED', 'no profile', [
    'assign',
    'get_profile',
  ]),
  profile_not_found: refusal(404, 'PROFILE_NOT_FOUND', 'no such profile', [
    'assign',
    'get_profile',
  ]),
  config_url_required: refusal(400, 'CONFIG_URL_REQUIRED', 'no url', ['define_profile']),
  config_name_required: refusal(400, 'CONFIG_NAME_REQUIRED', 'no name', ['define_profile']),
  department_required: refusal(400, 'DEPARTMENT_REQUIRED', 'no department', ['define_profile']),
  support_phone_required: refusal(400, 'SUPPORT_PHONE_REQUIRED', 'no phone', ['define_profile']),
  success: shaping('serial', 'SUCCESS for serials that Apple does not act on', serials),
  not_accessible: shaping('serial', 'NOT_ACCESSIBLE per serial', [...serials, 'details']),
  failed: shaping('serial', 'FAILED per serial', [...serials, 'details']),
  not_found: shaping('serial', 'NOT_FOUND per serial', [...serials, 'details']),

  throttled: shaping('serial', 'THROTTLED per serial; params: retryAfterSeconds', assigning),
  missing_from_answer: shaping('serial', 'serials that the answer leaves out', [
    ...serials,
    'details',
  ]),
  forbidden: refusal(403, 'FORBIDDEN', 'a session token that is not valid'),
  token_rejected: refusal(401, 'token_rejected', 'the server token is dead', ['session']),
  token_expired: refusal(403, 'token_expiredForbidden', 'the server token has run out', [
    'session',
  ]),
  signature_invalid: refusal(401, 'signature_invalid', 'the signature is wrong', ['session']),
  user_agent_invalid: refusal(400, 'USER_AGENT_INVALID', 'a User-Agent that is kept out'),
  user_agent_missing: refusal(400, 'USER_AGENT_MISSING', 'no User-Agent'),
  http_500: refusal(500, 'Internal Server Error', 'Apple is broken'),
  http_502: refusal(502, 'Bad Gateway', 'a proxy without Apple behind it'),
  http_503: refusal(503, 'Service Unavailable', 'params: retryAfterSeconds, retryAfterForm'),
  http_429: refusal(429, 'TOO_MANY_REQUESTS', 'as too_many_requests'),
  html_error: refusal(
    502,
    '<html><body><h1>502 Bad Gateway</h1></body></html>',
    'HTML, not a word',
  ),

  slow: shaping('transport', 'waits before it answers; params: delayMs'),
  slow_body: shaping('transport', 'sends the body in drops; params: delayMs between them, drops'),
  connection_reset: shaping('transport', 'cuts the connection; params: when before|after the work'),
  half_json: shaping('transport', 'a body cut in the middle, though its length is right'),
  torn_body: shaping('transport', 'the connection ends in the middle of the body'),
  wrong_shape: shaping(
    'transport',
    'a 200 of another shape; params: shape (JSON), default an array',
  ),

  same_cursor: shaping('page', 'the cursor that was sent, and more to follow', pages),
  silently_missing: shaping('page', 'devices that no page carries; params: serials, every', pages),
  duplicate_device_in_page: shaping('page', 'a device twice, the older entry last', pages),
  empty_page: shaping('page', 'no devices, and more to follow', pages),
  odd_values: shaping('page', 'unknown words, fields and zero dates that are legal', pages),
  churn: shaping('page', 'random changes before the page; params: changes', pages),
  modified_on_move: shaping('page', 'an arrival told as modified with profile removed', ['sync']),

  session_expired: shaping('session', 'the session ends just before this call'),
  session_rotates: shaping('session', 'a new session in the answer; params: keepOld'),

  quoted_errors: shaping('style', 'refusals in JSON quotes'),
  json_errors: shaping('style', 'refusals as {"code": …}'),
} as const satisfies Record<string, Refusing | Shaping>;

export type FaultName = keyof typeof faultCatalog;

export interface FaultEntry {
  kind: Refusing['kind'] | Shaping['kind'];
  about: string;
  endpoints?: readonly EndpointName[];
  status?: number;
  body?: string;
}

export function faultEntry(name: FaultName): FaultEntry {
  return faultCatalog[name];
}

export const faultNames = Object.keys(faultCatalog) as [FaultName, ...FaultName[]];
