import { signBody } from '@centralita/whatsapp';
import canonicalize from 'canonicalize';
import { createHash, createSecretKey } from 'node:crypto';
import type { JsonObject } from './items.js';
import type { Journal } from './journal.js';
import type { Random } from './random.js';
import type { App, BusinessNumber } from './world.js';

/** The provider's signature header over these bytes. */
export const sign = (secret: string, body: Buffer): string => signBody(body, createSecretKey(secret, 'utf8'));

export type Change = { readonly field: string; readonly value: JsonObject };

/** The envelope of one POST: one entry of one account. */
export const envelope = (wabaId: string, changes: readonly Change[], atSeconds?: number): JsonObject => ({
  object: 'whatsapp_business_account',
  entry: [{ id: wabaId, ...(atSeconds === undefined ? {} : { time: atSeconds }), changes }],
});

export const messagesChange = (number: BusinessNumber, value: JsonObject): Change => ({
  field: 'messages',
  value: {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: number.displayPhoneNumber, phone_number_id: number.phoneNumberId },
    ...value,
  },
});

/** How often each webhook comes again after it was answered, and the longest pause before it, so that later ones overtake it. */
export type Redeliveries = { readonly times: number; readonly withinMs: number; readonly random: Random };

/**
 * Delivers webhooks as the provider does: signed over the sent bytes, again after anything but 200 with growing pauses, and now and then
 * more than once although the first was answered.
 */
export class WebhookSender {
  #pending = 0;

  constructor(
    private readonly webhookUrl: string,
    private readonly journal: Journal,
    private readonly redeliveries: Redeliveries | null = null,
    private readonly maximumTries = 40,
  ) {}

  /** Deliveries that are not answered with 200 yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Resolves to the status of the first copy that was answered with 200; throws when the receiver never did. */
  async deliver(app: App, payload: JsonObject, copies = 1): Promise<number> {
    const body = Buffer.from(escapeNonAscii(JSON.stringify(payload)), 'utf8');
    const facts = itemsOf(payload).map(factOf);
    this.#pending += 1;
    try {
      const answers = await Promise.all(Array.from({ length: copies }, (_, copy) => this.#deliverCopy(app, body, facts, copy)));
      const { redeliveries } = this;
      for (let again = 0; redeliveries && again < redeliveries.times; again += 1)
        void this.#redeliver(redeliveries, app, body, facts, copies + again);
      return answers[0] ?? 0;
    } finally {
      this.#pending -= 1;
    }
  }

  /** One attempt with headers of the caller's choice, for forged and broken requests. */
  async attempt(appName: string, body: Buffer, headers: Record<string, string>): Promise<number> {
    const response = await fetch(`${this.webhookUrl}/${appName}`, {
      method: 'POST',
      body: new Uint8Array(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** Like `attempt`, again while the receiver does not answer or cannot work. */
  async insist(appName: string, body: Buffer, headers: Record<string, string>): Promise<number> {
    for (let attempt = 1; ; attempt += 1) {
      const status = await this.attempt(appName, body, headers).catch((error: unknown) => {
        if (attempt >= this.maximumTries) throw error;
        return 0;
      });
      if ((status > 0 && status < 500) || attempt >= this.maximumTries) return status;
      await pauseBefore(attempt + 1);
    }
  }

  /** Nobody waits for it, but a day is not over before it was answered. */
  async #redeliver(
    { withinMs, random }: Redeliveries,
    app: App,
    body: Buffer,
    facts: readonly string[],
    copy: number,
  ): Promise<void> {
    this.#pending += 1;
    try {
      await pause(random.integer(0, withinMs));
      await this.#deliverCopy(app, body, facts, copy);
    } catch (error) {
      process.stderr.write(`a webhook was not delivered again: ${error instanceof Error ? error.message : 'unknown'}\n`);
    } finally {
      this.#pending -= 1;
    }
  }

  async #deliverCopy(app: App, body: Buffer, facts: readonly string[], copy: number): Promise<number> {
    for (let attempt = 1; attempt <= this.maximumTries; attempt += 1) {
      const from = new Date().toISOString();
      const status = await this.attempt(app.app, body, { 'x-hub-signature-256': sign(app.secrets.current, body) }).catch(() => 0);
      this.journal.record('deliveries', {
        from,
        at: new Date().toISOString(),
        app: app.app,
        status,
        items: facts.length,
        facts,
        copy,
      });
      if (status === 200) return status;
      await pauseBefore(attempt + 1);
    }
    throw new Error(`the webhook of app ${app.app} did not answer 200 after ${this.maximumTries} tries`);
  }
}

/** The provider writes every character above ASCII as an escape; a receiver that signs anything but the received bytes fails here. */
const escapeNonAscii = (text: string): string =>
  text.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Name of the array in the fields that tell of several things at once. Any other field is one item as a whole. */
const arrays: Readonly<Record<string, readonly string[]>> = {
  messages: ['messages', 'statuses'],
  calls: ['calls'],
  smb_message_echoes: ['message_echoes'],
  user_preferences: ['user_preferences'],
};

const itemsOf = (payload: JsonObject): unknown[] =>
  (payload['entry'] as { changes: Change[] }[])
    .flatMap((entry) => entry.changes)
    .flatMap(({ field, value }) => arrays[field]?.flatMap((name) => value[name] ?? []) ?? [value]);

/** Names an item by what it says, so that two parties who hold it find the same name. */
export const factOf = (item: unknown): string =>
  createHash('sha256')
    .update(canonicalize(item) ?? '')
    .digest('hex');

const pauseBefore = (attempt: number): Promise<void> => pause(Math.min(50 * 2 ** (attempt - 1), 2000));

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
