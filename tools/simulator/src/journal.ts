import type { JsonObject } from './items.js';

/** What the simulated world did, kept apart from anything that the platform says: the other half of every check. */
export type InboundEntry = {
  readonly kind: 'message' | 'status' | 'field';
  readonly app: string;
  readonly wabaId: string;
  readonly phoneNumberId: string | null;
  readonly field: string;
  readonly customerId: string | null;
  readonly groupId: string | null;
  readonly wamid: string | null;
  readonly atSeconds: number;
  readonly item: JsonObject;
};

export type CallEntry = {
  readonly at: string;
  readonly phoneNumberId: string;
  readonly wamid: string;
  readonly sendId: string | null;
  readonly to: string | null;
  readonly recipient: string | null;
  readonly group: boolean;
  readonly type: string;
  readonly text: string | null;
  readonly template: string | null;
  readonly contextWamid: string | null;
};

export type RefusedCall = {
  readonly at: string;
  readonly phoneNumberId: string;
  readonly sendId: string | null;
  readonly code: number;
};

/** One delivered message to one participant, priced by the simulator's own reckoning. Nano-units as decimal digits. */
export type Charge = {
  readonly wamid: string;
  readonly participant: string | null;
  readonly wabaId: string;
  readonly phoneNumberId: string;
  readonly market: string;
  readonly category: string;
  readonly pricingType: string;
  readonly deliveredAtSeconds: number;
  readonly month: string;
  readonly currency: string;
  readonly amountNano: string;
};

/** One try of one webhook. */
export type Delivery = {
  /** When it began, and when its answer came or it was given up. */
  readonly from: string;
  readonly at: string;
  readonly app: string;
  readonly status: number;
  readonly items: number;
  /** Digest of the canonical text of each item that it told of: what a record of it can be held against. */
  readonly facts: readonly string[];
  readonly copy: number;
};

export class Journal {
  readonly inbound: InboundEntry[] = [];
  readonly calls: CallEntry[] = [];
  readonly refusedCalls: RefusedCall[] = [];
  readonly charges: Charge[] = [];
  readonly deliveries: Delivery[] = [];
  readonly #listeners = new Set<(event: JsonObject) => void>();

  record<Kind extends 'inbound' | 'calls' | 'refusedCalls' | 'charges' | 'deliveries'>(
    kind: Kind,
    entry: Journal[Kind][number],
  ): void {
    (this[kind] as (typeof entry)[]).push(entry);
    for (const listener of this.#listeners) listener({ journal: kind, entry });
  }

  /** Follows the journal until the returned function is called. */
  follow(listener: (event: JsonObject) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
