import { Agent, createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Delivery } from '../benches/load.js';

const ROOM_MS = 5;

export type Answer = { readonly status: number; readonly headers: IncomingMessage['headers']; readonly body: string };

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

export const bodyOf = async (stream: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
};

/** A client that costs little: it shares the cores with what is measured. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  send(method: string, url: string, headers: Readonly<Record<string, string>>, body: string | Buffer | null): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const sent = request(url, { method, agent: this.#agent, headers: { ...headers, ...length } }, (response) => {
        bodyOf(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          reject,
        );
      });
      sent.once('error', reject);
      sent.end(body ?? undefined);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Delivers as the provider does: again until the answer is 200, after pauses that grow. */
export class Deliverer {
  #refused = 0;

  constructor(
    private readonly client: Client,
    private readonly url: string,
  ) {}

  /** Deliveries that were not answered 200, and came again. */
  get refused(): number {
    return this.#refused;
  }

  async deliver({ body, signature }: Delivery): Promise<void> {
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
    for (let wait = 50; ; wait = Math.min(wait * 2, 2_000)) {
      const { status } = await this.client.send('POST', this.url, headers, body);
      if (status === 200) return;
      if (status < 500) throw new Error(`a delivery was answered ${status}`);
      this.#refused += 1;
      await pause(wait);
    }
  }

  /**
   * Closed loop: each connection sends its next delivery when the last one is answered and there is room, which is to say that what lies
   * between the webhook and the fold is bounded. A flood would measure how long the last customer waits and not how much is done.
   */
  async deliverAll(deliveries: readonly Delivery[], connections: number, hasRoom: (sent: number) => boolean): Promise<void> {
    const queue = deliveries.values();
    let sent = 0;
    const connection = async (): Promise<void> => {
      for (const delivery of queue) {
        while (!hasRoom(sent)) await pause(ROOM_MS);
        sent += delivery.items;
        await this.deliver(delivery);
      }
    };
    await Promise.all(Array.from({ length: connections }, connection));
  }
}

/** A server on a free port of loopback; a handler that fails ends the process, since the round is lost. */
export const serve = async (
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<{ url: string; server: Server }> => {
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) =>
      setImmediate(() => {
        throw error;
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
};
