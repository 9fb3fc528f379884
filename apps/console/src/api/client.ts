import type { Problem } from '@centralita/contracts';

/** A refusal of the server, as a problem document. Everything the console says about it follows from `code`. */
export class ApiProblem extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = 'ApiProblem';
  }
}

let signedOut = (): void => undefined;
/** Called when the server knows the session no longer: it has ended here, elsewhere, or by its time. */
export const onSignedOut = (listener: () => void): void => {
  signedOut = listener;
};

export type Answer<Body> = {
  readonly body: Body;
  readonly etag: string | null;
  readonly causalToken: string | null;
  readonly accessRecord: string | null;
};

export type RequestOptions = {
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly ifMatch?: string;
  readonly causalToken?: string | null;
  readonly signal?: AbortSignal;
};

const offline: Problem = {
  type: 'about:blank',
  title: 'Offline',
  status: 0,
  code: 'OFFLINE',
  detail: 'The server cannot be reached.',
  retryable: true,
};

/** What the refusal says, and tells when it ends the session. */
const refusal = async (response: Response): Promise<ApiProblem> => {
  if (response.status === 401) signedOut();
  return new ApiProblem(await problemOf(response));
};

/** The problem document of a refusal; what stands between us and the service may answer with something else. */
const problemOf = async (response: Response): Promise<Problem> => {
  const text = await response.text();
  if (response.headers.get('content-type')?.includes('json')) return JSON.parse(text) as Problem;
  const code = response.status === 401 ? 'UNAUTHENTICATED' : 'UPSTREAM_UNAVAILABLE';
  return { type: 'about:blank', title: response.statusText, status: response.status, code, detail: '', retryable: true };
};

/** Calls the public API. Never retries by itself: every answer with customer data is a record, and only a person may ask again. */
export const call = async <Body>(method: string, path: string, options: RequestOptions = {}): Promise<Answer<Body>> => {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      headers: {
        'x-centralita': '1',
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {}),
        ...(options.ifMatch ? { 'if-match': options.ifMatch } : {}),
        ...(options.causalToken ? { 'x-causal-token': options.causalToken } : {}),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
      cache: 'no-store',
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiProblem(offline);
  }
  if (!response.ok) throw await refusal(response);
  const text = await response.text();
  const body: unknown = text === '' ? null : JSON.parse(text);
  return {
    body: body as Body,
    etag: response.headers.get('etag')?.replace(/^(?:W\/)?"(.*)"$/, '$1') ?? null,
    causalToken: response.headers.get('x-causal-token'),
    accessRecord: response.headers.get('x-access-record'),
  };
};

/** Bytes of a media file. Opening it is a record of its own, so nothing asks for it ahead of time. */
export const getFile = async (path: string): Promise<Blob> => {
  const response = await fetch(`/api${path}`, { headers: { 'x-centralita': '1' }, cache: 'no-store' }).catch(() => {
    throw new ApiProblem(offline);
  });
  if (!response.ok) throw await refusal(response);
  return response.blob();
};

export const get = <Body>(path: string, options: RequestOptions = {}): Promise<Answer<Body>> => call<Body>('GET', path, options);

/** A command; its key makes a second press of the same button harmless. */
export const command = <Body>(
  method: 'POST' | 'PUT',
  path: string,
  body: unknown,
  options: RequestOptions = {},
): Promise<Answer<Body>> => call<Body>(method, path, { idempotencyKey: crypto.randomUUID(), ...options, body });

/** Ends the session at the gateway; gives the address where the provider ends its own, if it has one. */
export const endSession = async (): Promise<string | null> => {
  const response = await fetch('/auth/logout', { method: 'POST', headers: { 'x-centralita': '1' } }).catch(() => {
    throw new ApiProblem(offline);
  });
  if (!response.ok) throw new ApiProblem(await problemOf(response));
  return ((await response.json()) as { redirect: string | null }).redirect;
};
