// What customers and the provider send, as Meta puts it into webhooks.
import { createSecretKey, randomBytes } from 'node:crypto';
import { makeWamid, signBody } from '@centralita/whatsapp';
import type { Delivery } from '../benches/load.js';

export const WABA = '501';
/** Each has its own throughput at the provider. */
export const NUMBERS: readonly string[] = Array.from({ length: 8 }, (_, index) => `50100${index + 1}`);
export const SECRET = 'bench-app-secret';
export const ACCESS_TOKEN = 'bench-access-token';

const secret = createSecretKey(SECRET, 'utf8');
const WORDS = 'Good morning, is the room with the balcony still free for two nights from Friday? Thank you 👋';

type Change = { readonly field: 'messages'; readonly value: Record<string, unknown> };

const change = (phoneNumberId: string, value: Record<string, unknown>): Change => ({
  field: 'messages',
  value: {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: `34910${phoneNumberId}`, phone_number_id: phoneNumberId },
    ...value,
  },
});

const deliveryOf = (changes: readonly Change[]): Delivery => {
  const body = Buffer.from(JSON.stringify({ object: 'whatsapp_business_account', entry: [{ id: WABA, changes }] }));
  return { body, signature: signBody(body, secret), items: changes.length };
};

/** Cuts changes into webhooks of at most so many, as Meta does under load. */
export const deliveriesOf = (changes: readonly Change[], items: number): Delivery[] =>
  Array.from({ length: Math.ceil(changes.length / items) }, (_, index) =>
    deliveryOf(changes.slice(index * items, (index + 1) * items)),
  );

const seconds = (): string => String(Math.floor(Date.now() / 1_000));

/** A message that was sent, by the provider's name for it. */
export type Sent = { readonly phoneNumberId: string; readonly wamid: string };
export type Inbound = { readonly sent: readonly Sent[]; readonly changes: readonly Change[] };

let customers = 0;

/** New customers who write one message after the other; first messages of all, then second ones. */
export const inboundOf = (conversations: number, messagesEach: number): Inbound => {
  const people = Array.from({ length: conversations }, () => {
    const index = customers++;
    return { phone: `346${String(index).padStart(8, '0')}`, phoneNumberId: NUMBERS[index % NUMBERS.length] as string };
  });
  const all = Array.from({ length: messagesEach }, () => people)
    .flat()
    .map(({ phone, phoneNumberId }) => ({ phone, phoneNumberId, wamid: makeWamid(phone, randomBytes(16)) }));
  return {
    sent: all.map(({ phoneNumberId, wamid }) => ({ phoneNumberId, wamid })),
    changes: all.map(({ phone, phoneNumberId, wamid }) =>
      change(phoneNumberId, {
        contacts: [{ profile: { name: `Customer ${phone}` }, wa_id: phone, user_id: `ES.${phone}` }],
        messages: [
          { id: wamid, from: phone, from_user_id: `ES.${phone}`, timestamp: seconds(), type: 'text', text: { body: WORDS } },
        ],
      }),
    ),
  };
};

export const STATUSES = ['sent', 'delivered', 'read'] as const;

export type Reply = Sent & { readonly to: string; readonly sendId: string | null };

export const statusOf = ({ phoneNumberId, wamid, to, sendId }: Reply, status: (typeof STATUSES)[number]): Change =>
  change(phoneNumberId, {
    statuses: [
      {
        id: wamid,
        status,
        timestamp: seconds(),
        recipient_id: to,
        recipient_user_id: `ES.${to}`,
        ...(sendId === null ? {} : { biz_opaque_callback_data: sendId }),
        ...(status === 'read' ? {} : { pricing: { billable: true, pricing_model: 'PMP', type: 'regular', category: 'service' } }),
      },
    ],
  });
