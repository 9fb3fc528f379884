import { signBody } from '@centralita/whatsapp';
import canonicalize from 'canonicalize';
import { createHash, createSecretKey } from 'node:crypto';
import type { JsonObject } from './items.js';
import type { Journal } from './journal.js';
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

/**
 * Delivers webhooks as the provider does: signed over the sent bytes, again after anything but 200 with growing pauses, and now and then
 * more than once although the first was answered.
 */
export class WebhookSender {
  #pending = 0;

  constructor(
    private readonly webhookUrl: string,
    private readonly journal: Journal,
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
      await pause(Math.min(50 * 2 ** attempt, 2000));
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

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
