// Meta's side for both: takes calls as the Graph API does, and reports on each with three statuses by signed webhooks in batches.
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { makeWamid } from '@centralita/whatsapp';
import { asError, bodyOf, serve, type Deliverer } from './http.js';
import { deliveriesOf, STATUSES, statusOf, type Reply } from './traffic.js';

/** How long after the call a status comes; in life the last one takes minutes. */
const DELAYS_MS = { sent: 20, delivered: 60, read: 120 } as const;
const FLUSH_MS = 20;
const ITEMS = 100;

type Due = { readonly at: number; readonly reply: Reply; readonly status: (typeof STATUSES)[number] };
type SendBody = { readonly to: string; readonly biz_opaque_callback_data?: string };

export class Provider {
  #calls: Reply[] = [];
  #due: Due[] = [];
  #delivered = 0;
  #failed: Error | null = null;
  #server: Server | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** Takes calls; where the Graph API is. */
  async listen(): Promise<string> {
    const { url, server } = await serve(async (request, response) => {
      const phoneNumberId = request.url?.split('/')[2] ?? '';
      const { to, biz_opaque_callback_data: sendId = null } = JSON.parse(await bodyOf(request)) as SendBody;
      const wamid = makeWamid(to, randomBytes(16));
      this.#take({ phoneNumberId, wamid, to, sendId });
      response.setHeader('content-type', 'application/json');
      const contacts = [{ input: to, wa_id: to }];
      response.end(JSON.stringify({ messaging_product: 'whatsapp', contacts, messages: [{ id: wamid }] }));
    });
    this.#server = server;
    return url;
  }

  /** Reports on calls, from now on. */
  reportBy(deliverer: Deliverer): void {
    this.#timer = setInterval(() => this.#flush(deliverer), FLUSH_MS);
  }

  /** Calls of this round. */
  get calls(): readonly Reply[] {
    return this.#calls;
  }

  /** Statuses of this round that the webhook has answered 200. Throws what a delivery met. */
  get delivered(): number {
    if (this.#failed !== null) throw this.#failed;
    return this.#delivered;
  }

  nextRound(): void {
    [this.#calls, this.#delivered] = [[], 0];
  }

  close(): void {
    clearInterval(this.#timer);
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  #take(reply: Reply): void {
    this.#calls.push(reply);
    for (const status of STATUSES) this.#due.push({ at: performance.now() + DELAYS_MS[status], reply, status });
  }

  #flush(deliverer: Deliverer): void {
    const now = performance.now();
    const [due, later] = [this.#due.filter(({ at }) => at <= now), this.#due.filter(({ at }) => at > now)];
    this.#due = later;
    const changes = due.map(({ reply, status }) => statusOf(reply, status));
    for (const delivery of deliveriesOf(changes, ITEMS))
      deliverer
        .deliver(delivery)
        .then(() => void (this.#delivered += delivery.items))
        .catch((error: unknown) => void (this.#failed = asError(error)));
  }
}
