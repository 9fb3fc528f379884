import { Statement, StatementList, UsagePage } from '@centralita/contracts';
import type { z } from 'zod';
import { at, uuid } from './world.spec.js';

export const WABA = '107701';
export const MONTH = '2026-11';
const card = uuid(4001);
const line = (fields: Partial<Statement['lines'][number]> & { lineId: string }): Statement['lines'][number] => ({
  phoneNumberId: '1065',
  market: 'Spain',
  category: 'service',
  kind: 'charged',
  pricingType: 'regular',
  quantity: 1,
  rate: null,
  amount: '0',
  cardId: card,
  era: 'E5',
  explanation: { es: 'Por mensaje entregado.', en: 'Per delivered message.', pt: 'Por mensagem entregue.' },
  ...fields,
});
const lines = [
  line({
    lineId: 'a~free',
    kind: 'free',
    pricingType: 'free_customer_service',
    quantity: 1000,
    cardId: null,
    explanation: {
      es: 'Gratis: dentro de los mensajes de servicio gratuitos del mes.',
      en: "Free: inside the month's free service messages.",
      pt: 'Grátis: dentro das mensagens de serviço gratuitas do mês.',
    },
  }),
  line({ lineId: 'b~service', quantity: 4000, rate: '20000000', amount: '80000000000' }),
  line({ lineId: 'c~marketing', category: 'marketing', quantity: 1234, rate: '61500000', amount: '75891000000' }),
  line({
    lineId: 'd~utility',
    market: 'Rest of Europe',
    category: 'utility',
    quantity: 7,
    rate: '17050500',
    amount: '119353500',
  }),
  line({
    lineId: 'e~suspense',
    kind: 'suspense',
    market: null,
    category: 'unknown',
    pricingType: null,
    quantity: 3,
    cardId: null,
    era: null,
    explanation: {
      es: 'Ningún aviso del proveedor trae precio todavía.',
      en: 'No report of the provider carries a price yet.',
      pt: 'Nenhum aviso do provedor traz preço ainda.',
    },
  }),
];
export const statement = Statement.parse({
  wabaId: WABA,
  month: MONTH,
  timeZone: 'Europe/Madrid',
  currency: 'USD',
  state: 'open',
  estimate: true,
  lines,
  total: {
    quantity: lines.reduce((sum, { quantity }) => sum + quantity, 0),
    amount: lines.reduce((sum, { amount }) => sum + BigInt(amount), 0n).toString(),
  },
  freeTier: [
    { phoneNumberId: '1065', used: 1000, allotment: 1000 },
    { phoneNumberId: '1066', used: 212, allotment: 1000 },
  ],
  digest: 'ab'.repeat(32),
  asOf: at(-20_000),
});
const summary = {
  wabaId: WABA,
  name: 'Hotel Miramar Recepción',
  month: MONTH,
  currency: 'USD',
  state: 'open',
  ...statement.total,
};
export const statements: z.infer<typeof StatementList> = StatementList.parse({
  items: [summary, { ...summary, month: '2026-10', state: 'closed', quantity: 3120, amount: '61440000000' }],
});
export const usage = (lineId: string): z.infer<typeof UsagePage> => {
  const of = lines.find((each) => each.lineId === lineId);
  if (!of) throw new Error(`no line ${lineId}`);
  return UsagePage.parse({
    items: [0, 1, 2].map((n) => ({
      usageId: uuid(5000 + n),
      revision: 1,
      messageRef: n.toString().padStart(22, 'M'),
      participant: '-',
      chargeKind: 'message',
      wabaId: WABA,
      phoneNumberId: '1065',
      marketHint: { country: 'ES', prefix: '34' },
      category: of.category,
      pricingType: of.pricingType,
      pricingModel: 'PMP',
      deliveredAt: at(-n * 3_600_000),
      month: MONTH,
      state: of.kind,
      suspenseReason: null,
      rate: of.rate,
      amount: of.rate ?? '0',
      evidence: [
        { eventId: uuid(6000 + n), status: 'sent', at: at(-n * 3_600_000 - 2000) },
        { eventId: uuid(6100 + n), status: 'delivered', at: at(-n * 3_600_000) },
      ],
    })),
    nextCursor: null,
  });
};
