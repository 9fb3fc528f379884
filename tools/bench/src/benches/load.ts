import { Agent, request } from 'node:http';

export type Delivery = { readonly body: Buffer; readonly signature: string; readonly items: number };

const quantile = (sorted: readonly number[], part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;

/** Makes deliveries and remembers how long their answers took, in milliseconds. */
export class Load {
  readonly #agent: Agent;
  readonly #connections: number;
  #latencies: number[] = [];
  #accepted = 0;
  #refused = 0;

  constructor(
    private readonly url: string,
    connections: number,
  ) {
    this.#connections = connections;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Items of the deliveries that were answered 200. */
  get accepted(): number {
    return this.#accepted;
  }

  reset(): void {
    [this.#latencies, this.#accepted, this.#refused] = [[], 0, 0];
  }

  /** Closed loop: each connection sends its next delivery when the last one is answered. */
  async inTurn(deliveries: readonly Delivery[]): Promise<void> {
    const queue = deliveries.values();
    const connection = async (): Promise<void> => {
      for (const delivery of queue) await this.#deliver(delivery, performance.now());
    };
    await Promise.all(Array.from({ length: this.#connections }, connection));
  }

  /** Open loop: a delivery is due whether or not those before it are answered, and its time counts from when it was due. */
  async atRate(deliveries: readonly Delivery[], perSecond: number): Promise<void> {
    const started = performance.now();
    const under: Promise<void>[] = [];
    await new Promise<void>((resolve) => {
      const send = (): void => {
        const due = ((performance.now() - started) / 1_000) * perSecond;
        while (under.length < deliveries.length && under.length <= due)
          under.push(this.#deliver(deliveries[under.length] as Delivery, started + (under.length / perSecond) * 1_000));
        if (under.length === deliveries.length) resolve();
        else setTimeout(send, 1);
      };
      send();
    });
    await Promise.all(under);
  }

  figures(): Record<string, number> {
    const sorted = this.#latencies.sort((a, b) => a - b);
    return { 'p50 ms': quantile(sorted, 0.5), 'p99 ms': quantile(sorted, 0.99), refused: this.#refused };
  }

  close(): void {
    this.#agent.destroy();
  }

  #deliver({ body, signature, items }: Delivery, due: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': body.length, 'x-hub-signature-256': signature };
      const sent = request(this.url, { method: 'POST', agent: this.#agent, headers }, (response) => {
        response.resume();
        response.once('end', () => {
          this.#latencies.push(performance.now() - due);
          if (response.statusCode === 200) this.#accepted += items;
          else this.#refused += items;
          resolve();
        });
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }
}
