/** Apple says no: a status and a word, sometimes with headers. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, headers: Record<string, string> = {}) {
    super(code);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export const malformed = () => new Refusal(400, 'MALFORMED_REQUEST_BODY');
