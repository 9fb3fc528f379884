import { Agent as HttpAgent, request as plainRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as secureRequest } from 'node:https';

/** A service that says nothing for so long, before the headers or within the body, is given up. */
const SILENCE_MS = 30_000;

export type WireCall = {
  readonly method: string;
  /** Path and query, as they came. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
};

/** The service was silent for too long; it may have done what it was asked. */
export class WireTimeout extends Error {
  override readonly name = 'WireTimeout';
}

/**
 * Kept connections to one service. Node's own client, because `fetch` costs a gateway more than all the rest of a small call. Each
 * call is sent once, whatever happens: a repeated read would be a second look.
 */
export class Wire {
  readonly #request: typeof plainRequest;
  readonly #where: { readonly protocol: string; readonly hostname: string; readonly port: string; readonly agent: HttpAgent };
  readonly #prefix: string;

  constructor(
    address: string,
    private readonly silenceMs = SILENCE_MS,
  ) {
    const { protocol, hostname, port, pathname } = new URL(address);
    const secure = protocol === 'https:';
    this.#request = secure ? secureRequest : plainRequest;
    const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
    this.#where = { protocol, hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port, agent };
    this.#prefix = pathname.replace(/\/$/, '');
  }

  /** Resolves when the headers of the answer are there. Whoever takes the answer reads it to its end or destroys it. */
  send({ method, target, headers, body }: WireCall): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = this.#request({
        ...this.#where,
        method,
        path: `${this.#prefix}${target}`,
        headers: body === undefined || body.length === 0 ? headers : { ...headers, 'content-length': body.length },
        timeout: this.silenceMs,
      });
      let answer: IncomingMessage | undefined;
      request.on('timeout', () => (answer ?? request).destroy(new WireTimeout(`no word for ${this.silenceMs} ms`)));
      // Not once: a connection can fail again after its answer has begun, and then the answer says so.
      request.on('error', reject);
      request.once('response', (response) => {
        answer = response;
        resolve(response);
      });
      request.end(body);
    });
  }
}
