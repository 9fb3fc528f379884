import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { types } from 'node:util';
import { PlatformError } from '@centralita/contracts';

export type VaultOptions = {
  /** Address of the server, without `/v1`. */
  readonly address: string;
  readonly mount: string;
  readonly key: string;
  readonly token: () => string;
  /** PEM; without it the authorities that Node knows. */
  readonly ca?: string;
  readonly namespace?: string;
  /** Longest wait for one answer, in milliseconds. @default 2000 */
  readonly timeoutMs?: number;
};

/** Far beyond any answer to a handful of keys. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const TIMEOUT_MS = 2000;

/** The server answered with an error. `told` is its text: never to be shown, it may repeat what it was given. */
export class VaultRefusal extends Error {
  constructor(
    readonly status: number,
    readonly told: string,
  ) {
    super(`refused (${status})`);
  }
}

/** Requests to the provider: bounded in time and size, one connection kept. */
export class VaultConnection {
  readonly host: string;
  readonly #options: VaultOptions;
  readonly #base: URL;
  readonly #agent: HttpAgent;

  constructor(options: VaultOptions) {
    this.#options = options;
    this.#base = new URL(`${options.address.replace(/\/+$/, '')}/v1/`);
    this.host = this.#base.host;
    const kept = { keepAlive: true, maxSockets: 8 };
    this.#agent =
      this.#base.protocol === 'https:'
        ? new HttpsAgent({ ...kept, ...(options.ca === undefined ? {} : { ca: options.ca }) })
        : new HttpAgent(kept);
  }

  /** The member `data` of the answer. Throws VaultRefusal, or KEY_UNAVAILABLE when there is no answer. */
  async post(path: string, body: object): Promise<unknown> {
    const { token, namespace, timeoutMs = TIMEOUT_MS } = this.#options;
    const url = new URL(path, this.#base);
    const headers = {
      'content-type': 'application/json',
      'x-vault-request': 'true',
      'x-vault-token': token(),
      ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
    };
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        send(url, { method: 'POST', headers, agent: this.#agent, signal }, resolve)
          .once('error', reject)
          .end(JSON.stringify(body));
      });
      const text = await textOf(response);
      const answer = parsed(text);
      const status = response.statusCode ?? 0;
      if (status !== 200) throw new VaultRefusal(status, errorsIn(answer).join(' '));
      return answer?.data;
    } catch (error) {
      if (error instanceof VaultRefusal) throw error;
      const code = signal.aborted ? `no answer within ${timeoutMs} ms` : codeOf(error);
      throw new PlatformError('KEY_UNAVAILABLE', `the key provider vault at ${this.host} does not answer (${code})`, { code });
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

const codeOf = (error: unknown): string =>
  types.isNativeError(error) && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';

const textOf = async (response: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) throw new PlatformError('KEY_UNAVAILABLE', 'the answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
};

type Answer = { readonly data?: unknown; readonly errors?: readonly string[] };

/** Of the request, or of the items of a batch that has failed as a whole. */
const errorsIn = (answer: Answer | null): string[] => {
  const { batch_results: results = [] } = (answer?.data ?? {}) as { batch_results?: readonly { error?: unknown }[] };
  return [...(answer?.errors ?? []), ...results.map(({ error }) => error)].filter((told) => typeof told === 'string');
};

const parsed = (text: string): Answer | null => {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    return null;
  }
};
