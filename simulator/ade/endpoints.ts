/** Apple's endpoints that the simulator serves, by the name that faults and statistics use. */
export const endpoints = [
  'session',
  'account',
  'fetch',
  'sync',
  'details',
  'disown',
  'define_profile',
  'get_profile',
  'assign',
  'remove',
] as const;

export type EndpointName = (typeof endpoints)[number];
