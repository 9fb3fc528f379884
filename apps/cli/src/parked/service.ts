import { Problem } from '@centralita/contracts';
import type { z } from 'zod';
import { EXIT_REFUSED, EXIT_UNAVAILABLE, type Io } from '../io.js';

/** What a call did not do: the line for the user and the exit code. */
export class CallFailed extends Error {
  override readonly name = 'CallFailed';
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

export const EXIT = { done: 0, blocked: 1, notParked: 2, malformed: 3 } as const;

/** A key with thousands of records behind it is applied within the call. */
const PATIENCE_MS = 120_000;

type Call<Answer extends z.ZodType> = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly answer: Answer;
};

/** Operations of one service, by one token. */
export class OperatedService {
  constructor(
    private readonly io: Pick<Io, 'fetch'>,
    private readonly url: URL,
    private readonly token: string,
  ) {}

  /** Throws {@link CallFailed} for everything but the answer that was asked for. Never sent twice: the user sees what is known. */
  async call<Answer extends z.ZodType>({ method, path, body, answer }: Call<Answer>): Promise<z.output<Answer>> {
    const response = await this.io
      .fetch(new URL(`${this.url.pathname.replace(/\/$/, '')}/v1/operations/parked${path}`, this.url), {
        method,
        headers: {
          authorization: `Bearer ${this.token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The token is for this address alone.
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      .catch((error: unknown) => {
        throw new CallFailed(`${this.url.origin} cannot be reached: ${causeOf(error)}`, EXIT_UNAVAILABLE);
      });
    const value = await response.json().catch(() => undefined);
    if (!response.ok) throw this.#refused(response.status, value);
    const parsed = answer.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new CallFailed(`${this.url.origin} answers, but not as a service that can be operated`, EXIT.malformed);
  }

  #refused(status: number, value: unknown): CallFailed {
    const problem = Problem.safeParse(value);
    // A proxy, or another server at this address.
    if (!problem.success) return new CallFailed(`${this.url.origin} answers ${status} without saying why`, EXIT_UNAVAILABLE);
    const { code, detail } = problem.data;
    if (code === 'NOT_FOUND') return new CallFailed('this key is not parked there, or not for this tenant', EXIT.notParked);
    if (code === 'VERSION_CONFLICT') return new CallFailed(`${detail}: list it again`, EXIT.notParked);
    if (code === 'UNAUTHENTICATED')
      return new CallFailed(
        `the token is not valid for this service, or older than five minutes (${code}: ${detail})`,
        EXIT_REFUSED,
      );
    if (code === 'FORBIDDEN') return new CallFailed(`the token does not allow it (${code}: ${detail})`, EXIT_REFUSED);
    return new CallFailed(`the service could not do it (${code}: ${detail})`, EXIT_UNAVAILABLE);
  }
}

/** `fetch failed` says nothing; its cause has the system's code. */
const causeOf = (error: unknown): string => {
  const { cause, name } = error as { cause?: { code?: string; errors?: { code?: string }[] }; name?: string };
  return cause?.code ?? cause?.errors?.[0]?.code ?? name ?? 'unknown';
};
