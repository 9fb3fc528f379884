import type { Problem } from '@centralita/contracts';
import { loginThroughOidc } from '@centralita/tool-identity';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Login } from './context.js';

/** One request and its answer as a client saw it; status 0: no answer came. `accessRecord` is the id that the platform says it has written before it answered. */
export type Exchange = {
  readonly actorId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code: string | null;
  readonly accessRecord: string | null;
  /** From the request to the last byte of the answer, as the client waited. */
  readonly milliseconds: number;
};

export type Answer<Body> = { readonly status: number; readonly body: Body; readonly headers: Headers };

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Partial<Problem>,
    where: string,
  ) {
    super(`${where}: ${status} ${problem.code ?? ''} ${problem.detail ?? ''}`);
  }
}

type Options = {
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly idempotencyKey?: string;
  /** What an earlier command on another service did, so that this request sees it. */
  readonly causalToken?: string | undefined;
};

/** A person's browser without the browser: signs in through OIDC and talks to the public API with the session cookie. */
export class ApiClient {
  private constructor(
    private readonly gatewayUrl: string,
    readonly login: Login,
    private readonly cookie: string,
    private readonly exchanges: Exchange[],
    private readonly patience: number,
  ) {}

  /** `patience`: tries of a request before its failure counts. */
  static async signIn(gatewayUrl: string, login: Login, exchanges: Exchange[], patience = 5): Promise<ApiClient> {
    const { username, password } = login;
    for (let attempt = 1; ; attempt += 1) {
      const signedIn = await unlessCutOff(loginThroughOidc({ loginUrl: `${gatewayUrl}/auth/login`, username, password }));
      if (signedIn !== null) return new ApiClient(gatewayUrl, login, signedIn.cookie, exchanges, patience);
      if (attempt >= patience) throw new ApiError(0, { detail: 'the gateway does not answer' }, `${username} signing in`);
      await untilNext(attempt);
    }
  }

  get<Body>(path: string, options: Options = {}): Promise<Answer<Body>> {
    return this.#call<Body>('GET', path, options);
  }

  post<Body>(path: string, body: unknown, options: Options = {}): Promise<Answer<Body>> {
    return this.#call<Body>('POST', path, { idempotencyKey: randomUUID(), ...options, body });
  }

  put<Body>(path: string, body: unknown, options: Options = {}): Promise<Answer<Body>> {
    return this.#call<Body>('PUT', path, { idempotencyKey: randomUUID(), ...options, body });
  }

  /** The answer whatever its status, for those who expect a refusal. Asks again only when none came. */
  async raw(method: string, path: string, options: Options = {}): Promise<Answer<Buffer>> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await unlessCutOff(this.#once(method, path, options));
      if (answer !== null) return answer;
      if (attempt >= this.patience) throw this.#unanswered(method, path);
      await untilNext(attempt);
    }
  }

  /** The answer whatever its status, noted with its record; throws what fetch throws when none came. */
  async #once(method: string, path: string, options: Options): Promise<Answer<Buffer>> {
    const started = performance.now();
    const note = (answer: Pick<Exchange, 'status' | 'code' | 'accessRecord'>): void =>
      void this.exchanges.push({
        actorId: this.login.actorId,
        method,
        path,
        ...answer,
        milliseconds: performance.now() - started,
      });
    try {
      const { code, ...answer } = await this.#fetch(method, path, options);
      note({ status: answer.status, code, accessRecord: answer.headers.get('x-access-record') });
      return answer;
    } catch (error) {
      note({ status: 0, code: null, accessRecord: null });
      throw error;
    }
  }

  async #fetch(method: string, path: string, options: Options): Promise<Answer<Buffer> & { readonly code: string | null }> {
    const response = await fetch(`${this.gatewayUrl}/api${path}`, {
      method,
      headers: {
        cookie: this.cookie,
        'x-centralita': '1',
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch }),
        ...(options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }),
        ...(options.causalToken === undefined ? {} : { 'x-causal-token': options.causalToken }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const body = Buffer.from(await response.arrayBuffer());
    const code = response.headers.get('content-type')?.includes('problem')
      ? ((JSON.parse(body.toString('utf8')) as Problem).code ?? null)
      : null;
    return { status: response.status, body, headers: response.headers, code };
  }

  async #call<Body>(method: string, path: string, options: Options): Promise<Answer<Body>> {
    for (let attempt = 1; ; attempt += 1) {
      // A person waits and presses Retry; the command's key makes the second press harmless.
      const again = attempt < this.patience;
      const answer = await unlessCutOff(this.#once(method, path, options));
      if (answer !== null) {
        const body = parse(answer.body, answer.headers);
        if (answer.status < 400) return { ...answer, body: body as Body };
        const problem = body as Partial<Problem>;
        if (!problem.retryable || !again) throw new ApiError(answer.status, problem, this.#where(method, path));
      } else if (!again) throw this.#unanswered(method, path);
      await untilNext(attempt);
    }
  }

  #where(method: string, path: string): string {
    return `${this.login.username} ${method} ${path}`;
  }

  #unanswered(method: string, path: string): ApiError {
    return new ApiError(0, { detail: 'the gateway does not answer' }, this.#where(method, path));
  }
}

/** Null when the connection was refused or ended, for which fetch has a TypeError: nobody knows what became of the request. */
const unlessCutOff = <Result>(request: Promise<Result>): Promise<Result | null> =>
  request.catch((error: unknown) => {
    if (error instanceof TypeError) return null;
    throw error;
  });

const untilNext = (attempt: number): Promise<void> => pause(Math.min(100 * attempt, 1000));

const parse = (body: Buffer, headers: Headers): unknown =>
  headers.get('content-type')?.includes('json') ? (JSON.parse(body.toString('utf8')) as unknown) : body;
