import type { FastifyInstance, FastifyRequest } from 'fastify';
import { makeWamid } from '@centralita/whatsapp';
import { z } from 'zod';
import { contactEntry, messageItem, MessageTypes, type JsonObject } from './items.js';
import type { Journal } from './journal.js';
import type { Random } from './random.js';
import type { StatusReporter } from './statuses.js';
import { envelope, messagesChange, sign, type WebhookSender } from './webhooks.js';
import { Customer, Group, type World } from './world.js';

const WorldBody = z.object({ customers: z.array(Customer), groups: z.array(Group).default([]) });
const Message = z.object({
  customerId: z.string(),
  groupId: z.string().optional(),
  type: z.enum(MessageTypes),
  text: z.string().default(''),
  /** How long ago the customer wrote, by the provider's clock. */
  ageSeconds: z.number().int().min(0).default(0),
  /** Quotes or targets the n-th earlier message of this customer to this number, 1 = the last. */
  target: z.number().int().min(1).optional(),
  quote: z.boolean().default(false),
  mediaLost: z.boolean().default(false),
});
const MessagesBody = z.object({
  phoneNumberId: z.string(),
  messages: z.array(Message).min(1).max(1000),
  copies: z.number().int().min(1).max(7).default(1),
});
const FieldBody = z.object({
  app: z.string(),
  wabaId: z.string(),
  field: z.string(),
  value: z.record(z.string(), z.unknown()),
  time: z.number().int().optional(),
  customerId: z.string().optional(),
});
const RawBody = z.object({ app: z.string(), body: z.string(), signature: z.enum(['valid', 'forged', 'missing', 'doubled']) });

/** The levers of the simulated world, for the player of the day and the page with the phones. */
export const controlRoutes = (
  server: FastifyInstance,
  world: World,
  journal: Journal,
  webhooks: WebhookSender,
  statuses: StatusReporter,
  random: Random,
): void => {
  const wamidsOf = (customerId: string, phoneNumberId: string): string[] =>
    journal.inbound
      .filter((entry) => entry.kind === 'message' && entry.customerId === customerId && entry.phoneNumberId === phoneNumberId)
      .flatMap((entry) => entry.wamid ?? []);

  server.post('/control/world', async (request) => {
    const { customers, groups } = WorldBody.parse(request.body);
    world.addCustomers(customers);
    world.addGroups(groups);
    return { customers: world.customers.length, groups: world.groups.length };
  });

  server.get('/control/world', async () => ({ customers: world.customers, groups: world.groups, numbers: world.numbers }));

  /** Customers write: all messages of the body go into one webhook, which is delivered `copies` times. */
  server.post('/control/messages', async (request) => {
    const { phoneNumberId, messages, copies } = MessagesBody.parse(request.body);
    const found = world.appOfNumber(phoneNumberId);
    if (!found) throw new RangeError(`no number ${phoneNumberId}`);
    const items: JsonObject[] = [];
    const contacts = new Map<string, JsonObject>();
    for (const message of messages) {
      const customer = world.customer(message.customerId);
      const atSeconds = Math.floor(Date.now() / 1000) - message.ageSeconds;
      const target = message.target === undefined ? undefined : wamidsOf(customer.id, phoneNumberId).at(-message.target);
      const wamid = makeWamid(customer.phone ?? customer.bsuid ?? '0', random.bytes(16));
      const item = messageItem(random, customer, message.type, wamid, atSeconds, {
        text: message.text,
        groupId: message.groupId,
        mediaLost: message.mediaLost,
        ...(message.quote ? { contextWamid: target } : { targetWamid: target }),
      });
      journal.record('inbound', {
        kind: 'message',
        app: found.app.app,
        wabaId: found.number.wabaId,
        phoneNumberId,
        field: `message:${message.type}`,
        customerId: customer.id,
        groupId: message.groupId ?? null,
        wamid,
        atSeconds,
        item,
      });
      if (message.type !== 'system') contacts.set(customer.id, contactEntry(customer));
      items.push(item);
      world.heard(phoneNumberId, message.groupId ?? customer.id, atSeconds);
    }
    const value = { contacts: [...contacts.values()], messages: items };
    const status = await webhooks.deliver(
      found.app,
      envelope(found.number.wabaId, [messagesChange(found.number, value)]),
      copies,
    );
    return { status, wamids: items.map((item) => item['id']) };
  });

  /** Anything else that an account is told: other fields, and fields that nobody knows. */
  server.post('/control/field', async (request) => {
    const { app: appName, wabaId, field, value, time, customerId } = FieldBody.parse(request.body);
    const app = world.app(appName);
    if (!app) throw new RangeError(`no app ${appName}`);
    const atSeconds = time ?? Math.floor(Date.now() / 1000);
    journal.record('inbound', {
      kind: 'field',
      app: appName,
      wabaId,
      phoneNumberId: null,
      field,
      customerId: customerId ?? null,
      groupId: null,
      wamid: null,
      atSeconds,
      item: value,
    });
    return { status: await webhooks.deliver(app, envelope(wabaId, [{ field, value }], atSeconds)) };
  });

  /** A request of the caller's making: forged, unsigned, doubly signed or not JSON. Not part of the journal's items. */
  server.post('/control/raw', async (request) => {
    const { app: appName, body, signature } = RawBody.parse(request.body);
    const app = world.app(appName);
    if (!app) throw new RangeError(`no app ${appName}`);
    const bytes = Buffer.from(body, 'utf8');
    const valid = sign(app.secrets.current, bytes);
    const headers: Record<typeof signature, Record<string, string>> = {
      valid: { 'x-hub-signature-256': valid },
      forged: { 'x-hub-signature-256': sign('another secret', bytes) },
      missing: {},
      doubled: { 'x-hub-signature-256': `${valid},${valid}` },
    };
    return { status: await webhooks.insist(appName, bytes, headers[signature]) };
  });

  server.get('/control/journal', async () => ({
    inbound: journal.inbound,
    calls: journal.calls,
    refusedCalls: journal.refusedCalls,
    charges: journal.charges,
    deliveries: journal.deliveries,
  }));

  /** Zero when everything that was started is delivered. */
  server.get('/control/pending', async () => ({ webhooks: webhooks.pending, statuses: statuses.pending }));

  server.get('/control/events', (request: FastifyRequest, reply) => {
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    const stop = journal.follow((event) => reply.raw.write(`data: ${JSON.stringify(event)}\n\n`));
    request.raw.on('close', stop);
    return reply.hijack();
  });
};
