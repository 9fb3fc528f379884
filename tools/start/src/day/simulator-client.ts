import type { CallEntry, Charge, Delivery, InboundEntry, RefusedCall } from '@centralita/tool-simulator';
import type { Burst, DayPlan, PlannedField } from './plan.js';

export type SimulatorJournal = {
  readonly inbound: readonly InboundEntry[];
  readonly calls: readonly CallEntry[];
  readonly refusedCalls: readonly RefusedCall[];
  readonly charges: readonly Charge[];
  readonly deliveries: readonly Delivery[];
};

/** The simulator's levers, from outside its process. */
export class SimulatorClient {
  constructor(private readonly url: string) {}

  async populate(plan: DayPlan): Promise<void> {
    await this.#post('/control/world', { customers: plan.customers, groups: plan.groups });
  }

  /** Sends a burst and resolves to the wamids when the platform has acknowledged every webhook of it. */
  async write(phoneNumberId: string, burst: Burst): Promise<string[]> {
    const webhooks = burst.spread ? burst.messages.map((message) => [message]) : [burst.messages];
    const answers = await Promise.all(
      webhooks.map((messages) =>
        this.#post<{ wamids: string[] }>('/control/messages', { phoneNumberId, messages, copies: burst.copies }),
      ),
    );
    return answers.flatMap((answer) => answer.wamids);
  }

  async tell(field: PlannedField): Promise<void> {
    await this.#post('/control/field', field);
  }

  async raw(app: string, body: string, signature: 'valid' | 'forged' | 'missing' | 'doubled'): Promise<number> {
    return (await this.#post<{ status: number }>('/control/raw', { app, body, signature })).status;
  }

  journal(): Promise<SimulatorJournal> {
    return this.#get('/control/journal');
  }

  pending(): Promise<{ webhooks: number; statuses: number }> {
    return this.#get('/control/pending');
  }

  async #get<Body>(path: string): Promise<Body> {
    const response = await fetch(`${this.url}${path}`);
    if (!response.ok) throw new Error(`simulator ${path}: ${response.status}`);
    return (await response.json()) as Body;
  }

  async #post<Body>(path: string, body: unknown): Promise<Body> {
    const response = await fetch(`${this.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`simulator ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Body;
  }
}
