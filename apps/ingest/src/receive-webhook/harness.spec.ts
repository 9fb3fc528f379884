import { createSecretKey, randomUUID } from 'node:crypto';
import type { CloudEvent } from '@centralita/contracts';
import { createMemoryLog, type MemoryLog } from '@centralita/event-log';
import { createLogger } from '@centralita/platform-nest';
import { makeWamid, signBody } from '@centralita/whatsapp';
import { eventsOn, ingestFixture, testApp, writeApps, type IngestFixture } from '../support.spec.js';
import { startWebhook, type RunningWebhook } from './start.js';

export const NUMBER = '106540352242922';
export const blue = testApp('blue', NUMBER);
export const red = testApp('red', '106540352242933');
export const [waba] = blue.numbers.map((number) => number.wabaId);

export let fixture: IngestFixture;
export let log: MemoryLog;
export let webhook: RunningWebhook;
export let url: string;

export const start = async (overrides: { env?: Record<string, string>; log?: MemoryLog } = {}): Promise<RunningWebhook> =>
  startWebhook(
    {
      INGEST_ROLE: 'webhook',
      KAFKA_BROKERS: '127.0.0.1:1',
      DATABASE_URL: fixture.database.appUrl,
      KEYRING_DATABASE_URL: fixture.keyringDatabase.appUrl,
      KEYRING_MASTER_KEY: fixture.masterKey.toString('base64'),
      APPS_FILE: await writeApps(fixture.folder, [blue, red]),
      MEDIA_DIR: fixture.folder,
      // A crowded machine is slow; the one spec about the budget sets its own.
      WEBHOOK_BUDGET_MS: '30000',
      ...overrides.env,
    },
    { log: overrides.log ?? log, logger: createLogger({ service: 'ingest', level: 'silent' }) },
  );

/** To be called in beforeAll; every spec file has this module, and so a webhook, of its own. */
export const setUp = async (): Promise<void> => {
  fixture = await ingestFixture();
  log = createMemoryLog();
  webhook = await start();
  url = `http://127.0.0.1:${webhook.port}/webhooks`;
};
export const tearDown = async (): Promise<void> => {
  await webhook.drain.drain('test');
  await fixture.close();
};

export const phoneOf = (n: number): string => `34600${String(n).padStart(6, '0')}`;
let customers = 0;
export const text = (extra: Record<string, unknown> = {}): Record<string, unknown> => {
  const phone = phoneOf(++customers);
  return {
    id: makeWamid(phone, Buffer.from(randomUUID())),
    from: phone,
    from_user_id: `ES.${phone}`,
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: 'text',
    text: { body: '¿Mañana? 👋' },
    ...extra,
  };
};
export const value = (extra: Record<string, unknown>, phoneNumberId = NUMBER): Record<string, unknown> => ({
  messaging_product: 'whatsapp',
  metadata: { display_phone_number: '34910000001', phone_number_id: phoneNumberId },
  ...extra,
});
export const bodyOf = (changes: readonly unknown[], wabaId = waba): Buffer =>
  Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: wabaId, changes }] }));
export const messages = (...items: unknown[]): Buffer => bodyOf([{ field: 'messages', value: value({ messages: items }) }]);
export const statuses = (...items: unknown[]): Buffer => bodyOf([{ field: 'messages', value: value({ statuses: items }) }]);
export const sign = (body: Buffer, secret = blue.secrets.current): string => signBody(body, createSecretKey(secret, 'utf8'));
export const post = async (body: Buffer, headers: Record<string, string> = {}, app = 'blue', at = url): Promise<Response> =>
  fetch(`${at}/${app}`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { 'content-type': 'application/json', 'x-hub-signature-256': sign(body), ...headers },
  });
export const inbound = (): CloudEvent[] => eventsOn(log, 'wa.inbound.v1');
/** Events that a delivery puts on the log, and the answer's status. */
export const recorded = async (body: Buffer, app = blue): Promise<{ status: number; events: CloudEvent[] }> => {
  const before = new Map<string, number>();
  for (const { id } of inbound()) before.set(id, (before.get(id) ?? 0) + 1);
  const { status } = await post(body, { 'x-hub-signature-256': sign(body, app.secrets.current) }, app.app);
  const events = inbound().filter(({ id }) => {
    const seen = before.get(id) ?? 0;
    if (seen > 0) before.set(id, seen - 1);
    return seen === 0;
  });
  return { status, events };
};
/** The state of a subject's key; throws when nobody has made one. */
export const keyStateOf = async (tenantId: string, subject: string): Promise<string> =>
  (await fixture.keyring.sealer(tenantId, [subject])).state(subject);

export const opened = async (event: CloudEvent): Promise<unknown> => {
  const { sealed } = event.data as { sealed: { subject: string } };
  const keys = await fixture.keyring.sealer(event.tenantid, [sealed.subject]);
  return keys.open(sealed as Parameters<typeof keys.open>[0]);
};
