import { MessageTypes, Random, type Customer, type Group, type MessageType, type StatusPlan } from '@centralita/tool-simulator';
import { customerText, displayName } from './phrases.js';

export type PlanNumber = {
  readonly phoneNumberId: string;
  readonly displayPhoneNumber: string;
  readonly wabaId: string;
  readonly app: string;
  readonly tenantId: string;
};

export type PlannedMessage = {
  readonly customerId: string;
  readonly groupId?: string;
  readonly type: MessageType;
  readonly text: string;
  readonly ageSeconds: number;
  readonly target?: number;
  readonly quote?: boolean;
  readonly mediaLost?: boolean;
};

/** What one webhook carries. A `spread` burst goes out as one webhook a message within 200 ms, and its inner order is nobody's promise. */
export type Burst = { readonly messages: readonly PlannedMessage[]; readonly copies: number; readonly spread: boolean };

/** One customer's day on one number: bursts in order, each after the last was answered. */
export type CustomerScript = { readonly customer: Customer; readonly phoneNumberId: string; readonly bursts: readonly Burst[] };

/** A change of another field; `items` = how many items the platform must record for it. */
export type PlannedField = {
  readonly app: string;
  readonly wabaId: string;
  readonly field: string;
  readonly value: Record<string, unknown>;
  readonly items: number;
  readonly customerId?: string;
};

export type DayPlan = {
  readonly customers: readonly Customer[];
  readonly groups: readonly Group[];
  readonly scripts: readonly CustomerScript[];
  readonly fields: readonly PlannedField[];
};

const OLD_SECONDS = 25 * 3600;
const DUPLICATE_PERCENT = 5;
const countries = { es: ['ES'], en: ['GB', 'US'], pt: ['BR', 'PT'] } as const;
const callingCode: Record<string, string> = { ES: '346', GB: '447', US: '14152', BR: '5511', PT: '3519' };
const localDigits: Record<string, number> = { ES: 8, GB: 9, US: 6, BR: 9, PT: 8 };
const plans: readonly StatusPlan[] = [
  'normal',
  'normal',
  'normal',
  'normal',
  'read_only',
  'out_of_order',
  'before_response',
  'normal',
  'read_only',
  'normal',
];

/** The whole input of a day from a seed: the same seed, size and numbers give the same plan, byte for byte. */
export const planDay = (seed: number, customerCount: number, numbers: readonly PlanNumber[]): DayPlan => {
  const random = new Random(seed, 'day');
  const customers = Array.from({ length: customerCount }, (_, index) => planCustomer(random, index));
  const scripts = customers.map((customer, index) => planScript(random, customer, numberOf(numbers, index), index));
  const members = scripts
    .filter((script) => script.phoneNumberId === numbers[0]?.phoneNumberId && script.customer.phone && script.customer.bsuid)
    .slice(0, 5);
  const group: Group = { id: `group-${random.digits(16)}`, memberIds: members.map((member) => member.customer.id) };
  const speaker = members[0];
  const groupScript: CustomerScript[] = speaker
    ? [
        {
          customer: speaker.customer,
          phoneNumberId: speaker.phoneNumberId,
          bursts: [burst(random, [{ ...message(random, speaker.customer, 'text'), groupId: group.id }])],
        },
      ]
    : [];
  return {
    customers,
    groups: members.length >= 5 ? [group] : [],
    scripts: [...scripts, ...(members.length >= 5 ? groupScript : [])],
    fields: planFields(random, scripts, numbers),
  };
};

const numberOf = (numbers: readonly PlanNumber[], index: number): PlanNumber => {
  const number = numbers[index % numbers.length];
  if (!number) throw new RangeError('a day needs a business number');
  return number;
};

const planCustomer = (random: Random, index: number): Customer => {
  const language = random.pick(['es', 'es', 'en', 'pt'] as const);
  const country = random.pick<string>(countries[language]);
  const identity = index % 5;
  const phone = `${callingCode[country] ?? ''}${random.digits(localDigits[country] ?? 8)}`;
  const bsuid = `${country}.${random.digits(19)}`;
  return {
    id: `customer-${index + 1}`,
    // Of five customers one hides the number behind a username, one is known by number alone, three by both.
    phone: identity === 3 ? null : phone,
    bsuid: identity === 4 ? null : bsuid,
    name: displayName(random),
    username: identity === 3 ? `user${random.digits(10)}` : null,
    country,
    language,
    statusPlan: index === 7 ? 'failed' : random.pick(plans),
  };
};

const message = (random: Random, customer: Customer, type: MessageType, extra: Partial<PlannedMessage> = {}): PlannedMessage => ({
  customerId: customer.id,
  type,
  text: customerText(random, customer.language),
  ageSeconds: 0,
  ...extra,
});

const burst = (random: Random, messages: readonly PlannedMessage[], spread = false): Burst => ({
  messages,
  copies: random.chance(DUPLICATE_PERCENT) ? random.integer(2, 7) : 1,
  spread,
});

const referring: readonly MessageType[] = ['reaction', 'edit', 'revoke'];

const planScript = (random: Random, customer: Customer, number: PlanNumber, index: number): CustomerScript => {
  const { phoneNumberId } = number;
  // Every eleventh customer wrote 25 hours ago and is silent since: only a template can reach them.
  if (index % 11 === 5)
    return { customer, phoneNumberId, bursts: [burst(random, [message(random, customer, 'text', { ageSeconds: OLD_SECONDS })])] };
  const bursts = [burst(random, [message(random, customer, 'text')])];
  // Each type occurs: the first customers walk through the list, the others draw from it.
  const type = MessageTypes[index % MessageTypes.length] ?? 'text';
  if (type !== 'text')
    bursts.push(burst(random, [message(random, customer, type, referring.includes(type) ? { target: 1 } : {})]));
  if (random.chance(30))
    bursts.push(
      burst(random, [message(random, customer, 'text', { quote: true, target: 1 }), message(random, customer, 'text')]),
    );
  if (index % 23 === 2)
    bursts.push(
      burst(
        random,
        Array.from({ length: 10 }, () => message(random, customer, 'image')),
        true,
      ),
    );
  if (index % 29 === 3) bursts.push(burst(random, [message(random, customer, 'document', { mediaLost: true })]));
  return { customer, phoneNumberId, bursts };
};

const planFields = (random: Random, scripts: readonly CustomerScript[], numbers: readonly PlanNumber[]): PlannedField[] => {
  const fields: PlannedField[] = [];
  const seconds = (): string => String(1_700_000_000 + random.integer(0, 1000));
  for (const number of numbers) {
    const own = scripts.filter(
      (script) => script.phoneNumberId === number.phoneNumberId && script.customer.phone && script.customer.bsuid,
    );
    const base = { app: number.app, wabaId: number.wabaId };
    const metadata = { display_phone_number: number.displayPhoneNumber, phone_number_id: number.phoneNumberId };
    const account: readonly (readonly [string, Record<string, unknown>])[] = [
      ['account_update', { event: 'VERIFIED_ACCOUNT', phone_number: number.displayPhoneNumber }],
      [
        'phone_number_quality_update',
        { event: 'THROUGHPUT_UPGRADE', display_phone_number: number.displayPhoneNumber, current_limit: 'TIER_UNLIMITED' },
      ],
      [
        'message_template_status_update',
        {
          event: 'APPROVED',
          message_template_id: random.digits(12),
          message_template_name: 'order_update',
          message_template_language: 'es',
        },
      ],
      ['security', { event: 'PIN_CHANGED', display_phone_number: number.displayPhoneNumber }],
      ['telepathy', { thought: `unknown to everybody ${random.digits(12)}` }],
    ];
    for (const [field, value] of account) fields.push({ ...base, field, value, items: 1 });
    const [caller, echoed, stopped] = own.map((script) => script.customer);
    if (caller) {
      const call = {
        id: `wacid.${random.digits(20)}`,
        from: caller.phone,
        from_user_id: caller.bsuid,
        to: number.displayPhoneNumber,
        timestamp: seconds(),
        direction: 'USER_INITIATED',
      };
      const contacts = [{ profile: { name: caller.name }, wa_id: caller.phone, user_id: caller.bsuid }];
      fields.push({
        ...base,
        customerId: caller.id,
        field: 'calls',
        items: 2,
        value: {
          messaging_product: 'whatsapp',
          metadata,
          contacts,
          calls: [
            { ...call, event: 'connect', session: { sdp_type: 'offer', sdp: 'v=0' } },
            { ...call, event: 'terminate', status: 'FAILED' },
          ],
        },
      });
    }
    if (echoed)
      fields.push({
        ...base,
        customerId: echoed.id,
        field: 'smb_message_echoes',
        items: 1,
        value: {
          messaging_product: 'whatsapp',
          metadata,
          message_echoes: [
            {
              from: number.displayPhoneNumber,
              to: echoed.phone,
              to_user_id: echoed.bsuid,
              id: `wamid.${Buffer.from(`echo:${echoed.phone}:${random.digits(12)}`).toString('base64')}`,
              timestamp: seconds(),
              type: 'text',
              text: { body: customerText(random, echoed.language) },
            },
          ],
        },
      });
    if (stopped)
      fields.push({
        ...base,
        customerId: stopped.id,
        field: 'user_preferences',
        items: 1,
        value: {
          messaging_product: 'whatsapp',
          metadata,
          user_preferences: [
            {
              wa_id: stopped.phone,
              user_id: stopped.bsuid,
              detail: 'stop',
              category: 'marketing_messages',
              value: 'stop',
              timestamp: seconds(),
            },
          ],
        },
      });
  }
  return fields;
};
