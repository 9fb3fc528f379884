import type { JsonObject } from './items.js';
import type { Journal } from './journal.js';
import { chargeOf, type PriceList, type PricingObject } from './pricing.js';
import type { Random } from './random.js';
import { messagesChange, envelope, type WebhookSender } from './webhooks.js';
import type { App, BusinessNumber, Customer } from './world.js';

export type Sent = {
  readonly app: App;
  readonly number: BusinessNumber;
  readonly wamid: string;
  readonly sendId: string | null;
  readonly category: string;
  readonly customer: Customer;
  /** Set for a group: the whole membership receives the message. */
  readonly group: { readonly id: string; readonly members: readonly Customer[] } | null;
};

type Step = 'sent' | 'delivered' | 'read' | 'failed';

/** Statuses of one receiver in the order in which the provider sends them. */
const steps: Record<Customer['statusPlan'], readonly Step[]> = {
  normal: ['sent', 'delivered', 'read'],
  read_only: ['sent', 'read'],
  out_of_order: ['read', 'delivered', 'sent'],
  before_response: ['sent', 'delivered', 'read'],
  failed: ['sent', 'failed'],
};

/**
 * Reports on sent messages as the provider does: pricing with `sent` and with one of delivered and read, `delivered` left out where it
 * coincides with `read`, some webhooks more than once, and no promise about order.
 */
export class StatusReporter {
  #scheduled = 0;

  constructor(
    private readonly journal: Journal,
    private readonly webhooks: WebhookSender,
    private readonly prices: PriceList,
    private readonly random: Random,
    private readonly duplicatePercent: number,
  ) {}

  /** Statuses that are not delivered yet. */
  get pending(): number {
    return this.#scheduled;
  }

  /** Reports on one message to all who receive it. Resolves when the first webhook is answered, for the plan `before_response`. */
  report(sent: Sent): Promise<void> {
    const receivers = sent.group ? sent.group.members : [sent.customer];
    const first = receivers.map((customer) => this.#reportTo(sent, customer));
    return Promise.race(first);
  }

  #reportTo(sent: Sent, customer: Customer): Promise<void> {
    const plan = sent.group ? 'normal' : customer.statusPlan;
    const now = Math.floor(Date.now() / 1000);
    const delivered = plan !== 'failed';
    const category = sent.group && sent.category === 'service' ? 'group_service' : sent.category;
    const pricing = delivered ? this.prices.price(sent.number, category, now) : null;
    if (pricing)
      this.journal.record(
        'charges',
        chargeOf(sent.number, customer, sent.group ? (customer.bsuid ?? customer.phone) : null, sent.wamid, pricing, now),
      );
    const order = steps[plan];
    const evidence = order.find((step) => step === 'delivered' || step === 'read');
    let answered: Promise<void> = Promise.resolve();
    let delay = plan === 'before_response' ? 0 : this.random.integer(5, 40);
    const sequence = order.map((step) => {
      const item = this.#item(sent, customer, step, now, step === 'sent' || step === evidence ? pricing : null);
      const after = delay;
      delay += this.random.integer(5, 60);
      return this.#later(after, sent, item, step);
    });
    if (plan === 'before_response') answered = sequence[0] ?? answered;
    return answered;
  }

  #item(sent: Sent, customer: Customer, step: Step, atSeconds: number, pricing: PricingObject | null): JsonObject {
    return {
      id: sent.wamid,
      status: step,
      timestamp: String(atSeconds),
      ...(sent.group
        ? {
            recipient_type: 'group',
            recipient_id: sent.group.id,
            recipient_participant_id: customer.phone ?? undefined,
            recipient_participant_user_id: customer.bsuid ?? undefined,
          }
        : {
            ...(customer.phone ? { recipient_id: customer.phone } : {}),
            ...(customer.bsuid && step !== 'failed' ? { recipient_user_id: customer.bsuid } : {}),
          }),
      ...(sent.sendId ? { biz_opaque_callback_data: sent.sendId } : {}),
      ...(pricing ? { pricing } : {}),
      ...(step === 'failed'
        ? {
            errors: [
              {
                code: 131026,
                title: 'Message undeliverable',
                message: 'Message undeliverable',
                error_data: { details: 'The recipient cannot receive it.' },
              },
            ],
          }
        : {}),
    };
  }

  async #later(milliseconds: number, sent: Sent, item: JsonObject, step: Step): Promise<void> {
    this.#scheduled += 1;
    const copies = this.random.chance(this.duplicatePercent) ? this.random.integer(2, 7) : 1;
    const status = JSON.parse(JSON.stringify(item)) as JsonObject;
    this.journal.record('inbound', {
      kind: 'status',
      app: sent.app.app,
      wabaId: sent.number.wabaId,
      phoneNumberId: sent.number.phoneNumberId,
      field: `status:${step}`,
      customerId: sent.customer.id,
      groupId: sent.group?.id ?? null,
      wamid: sent.wamid,
      atSeconds: Number(item['timestamp']),
      item: status,
    });
    try {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      await this.webhooks.deliver(
        sent.app,
        envelope(sent.number.wabaId, [messagesChange(sent.number, { statuses: [status] })]),
        copies,
      );
    } catch (error) {
      // The journal says what was never taken; the phones of everybody else go on.
      process.stderr.write(`a status was not delivered: ${error instanceof Error ? error.message : 'unknown'}\n`);
    } finally {
      this.#scheduled -= 1;
    }
  }
}
