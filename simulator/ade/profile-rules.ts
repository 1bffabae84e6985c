import { Refusal } from './refusal.ts';

/**
 * What Apple refuses of a profile, by the table of
 * https://developer.apple.com/documentation/devicemanagement/define-a-profile.
 */

type Body = Record<string, unknown>;

const flags = [
  'allow_pairing',
  'is_supervised',
  'is_mdm_removable',
  'is_mandatory',
  'is_multi_user',
  'is_return_to_service',
  'await_device_configured',
  'auto_advance_setup',
  'do_not_use_profile_from_backup',
];
const lists = ['anchor_certs', 'supervising_host_certs', 'skip_setup_items', 'devices'];
const texts = [
  ...['profile_name', 'url', 'configuration_web_url', 'department', 'support_phone_number'],
  ...['support_email_address', 'org_magic', 'language', 'region'],
];

const refuse = (code: string) => new Refusal(400, code);

/** Apple counts UTF-8 bytes. */
const bytes = (text: string) => Buffer.byteLength(text);

export function checkProfile(body: Body): void {
  checkTypes(body);
  const text = (key: string) => body[key] as string | undefined;

  const name = text('profile_name');
  if (name === undefined) throw refuse('CONFIG_NAME_REQUIRED');
  if (name.trim() === '' || bytes(name) > 125) throw refuse('CONFIG_NAME_INVALID');

  const url = text('url');
  if (url === undefined || url === '') throw refuse('CONFIG_URL_REQUIRED');
  checkUrl(url);
  const webUrl = text('configuration_web_url');
  if (webUrl !== undefined) checkUrl(webUrl);

  const bounded = (key: string, most: number, code: string, least = 0) => {
    const size = bytes(text(key) ?? 'x');
    if (size > most || size < least) throw refuse(code);
  };
  bounded('department', 125, 'DEPARTMENT_INVALID', 1);
  bounded('support_phone_number', 50, 'SUPPORT_PHONE_INVALID');
  bounded('support_email_address', 250, 'SUPPORT_EMAIL_INVALID');
  bounded('org_magic', 256, 'MAGIC_INVALID', 1);
  checkLocale(text('language'), text('region'));
  if (body['is_mdm_removable'] === false && body['is_supervised'] !== true) {
    throw refuse('FLAGS_INVALID');
  }
}

function checkTypes(body: Body): void {
  const isText = (value: unknown) => typeof value === 'string';
  const isFlag = (value: unknown) => typeof value === 'boolean';
  const isList = (value: unknown) => Array.isArray(value) && value.every(isText);
  for (const [keys, fits] of [
    [texts, isText],
    [flags, isFlag],
    [lists, isList],
  ] as const) {
    for (const key of keys) {
      if (body[key] !== undefined && !fits(body[key])) throw refuse('MALFORMED_REQUEST_BODY');
    }
  }
}

function checkUrl(url: string): void {
  const isHttp = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isHttp || new URL(url).href.length > 2000) throw refuse('CONFIG_URL_INVALID');
}

const languages = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

function checkLocale(language: string | undefined, region: string | undefined): void {
  const isLanguage =
    language === undefined || (/^[a-z]{2,3}$/.test(language) && languages.of(language));
  const isRegion = region === undefined || (/^[A-Z]{2}$/.test(region) && regions.of(region));
  if (!isLanguage || !isRegion) throw refuse('LOCALE_INVALID');
}
