/**
 * One record of RFC 4180, with its line end. A value that a spreadsheet would take for a formula is
 * made a text by a leading apostrophe, as OWASP advises:
 * https://owasp.org/www-community/attacks/CSV_Injection
 */
export function csvRecord(values: readonly (string | null)[]): string {
  return `${values.map((value) => field(value ?? '')).join(',')}\r\n`;
}

function field(value: string): string {
  const text = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
