import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { AppsFile, factOf, sign, type Delivery } from '@centralita/tool-simulator';
import type { StartContext } from '@centralita/tool-start';

type Number = StartContext['numbers'][number];
type JsonObject = Readonly<Record<string, unknown>>;

/** Of one customer's message: the element of `messages` and the one of `contacts` beside it. */
export type Told = { readonly item: JsonObject; readonly contact: JsonObject };

const TRIES = 40;

/** Delivers messages to one business number as the provider does, to whichever process a scenario chooses, and keeps a journal of it. */
export class Provider {
  /** Every try, as the simulator's journal has them. */
  readonly deliveries: Delivery[] = [];

  private constructor(
    private readonly number: Number,
    private readonly app: string,
    private readonly secret: string,
  ) {}

  static async of(context: StartContext, number: Number): Promise<Provider> {
    const { apps } = AppsFile.parse(JSON.parse(await readFile(context.files.apps, 'utf8')));
    const app = apps.find(({ numbers }) => numbers.some(({ phoneNumberId }) => phoneNumberId === number.phoneNumberId));
    if (!app) throw new RangeError('the number belongs to no app');
    return new Provider(number, app.app, app.secrets.current);
  }

  /** Delivers one webhook until it is answered 200. `webhooks` is the address without the app's name. */
  async deliver(webhooks: string, told: readonly Told[]): Promise<void> {
    const { phoneNumberId, displayPhoneNumber, wabaId } = this.number;
    const value = {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: displayPhoneNumber, phone_number_id: phoneNumberId },
      contacts: told.map(({ contact }) => contact),
      messages: told.map(({ item }) => item),
    };
    const entry = [{ id: wabaId, changes: [{ field: 'messages', value }] }];
    const body = Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry }));
    const facts = told.map(({ item }) => factOf(item));
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const from = new Date().toISOString();
      const status = await this.#post(`${webhooks}/${this.app}`, body).catch(() => 0);
      const at = new Date().toISOString();
      this.deliveries.push({ from, at, app: this.app, status, items: facts.length, facts, copy: 0 });
      if (status === 200) return;
      await pause(Math.min(50 * 2 ** attempt, 2000));
    }
    throw new Error(`a webhook was not answered 200 in ${TRIES} tries`);
  }

  async #post(url: string, body: Buffer): Promise<number> {
    const headers = { 'content-type': 'application/json', 'x-hub-signature-256': sign(this.secret, body) };
    const response = await fetch(url, { method: 'POST', body: new Uint8Array(body), headers });
    await response.arrayBuffer();
    return response.status;
  }
}
