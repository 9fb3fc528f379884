import type { StatementLine } from '@centralita/contracts';
import { formatNano, nano } from './money.js';
import type { SuspenseReason } from './usage.js';

type Texts = StatementLine['explanation'];

const reasons: Record<SuspenseReason, Texts> = {
  time_clamped: {
    es: 'La hora del proveedor está fuera de los límites creíbles.',
    en: "The provider's time is outside the limits that can be believed.",
    pt: 'A hora do provedor está fora dos limites críveis.',
  },
  contradictory_pricing: {
    es: 'Dos avisos del proveedor dan precios distintos.',
    en: 'Two reports of the provider give different prices.',
    pt: 'Dois avisos do provedor dão preços diferentes.',
  },
  pricing_missing: {
    es: 'Ningún aviso del proveedor trae precio todavía.',
    en: 'No report of the provider carries a price yet.',
    pt: 'Nenhum aviso do provedor traz preço ainda.',
  },
  pricing_type_unknown: {
    es: 'El proveedor usa un tipo de precio que no conocemos.',
    en: 'The provider uses a pricing type that we do not know.',
    pt: 'O provedor usa um tipo de preço que não conhecemos.',
  },
  category_missing: {
    es: 'El proveedor no indica la categoría.',
    en: 'The provider names no category.',
    pt: 'O provedor não indica a categoria.',
  },
  no_rate: {
    es: 'Ninguna tarifa vigente tiene precio para este mercado y categoría.',
    en: 'No rate card in force has a price for this market and category.',
    pt: 'Nenhuma tabela vigente tem preço para este mercado e categoria.',
  },
  account_unknown: {
    es: 'La cuenta no está dada de alta: falta su zona horaria.',
    en: 'The account is not registered: its time zone is missing.',
    pt: 'A conta não está cadastrada: falta o fuso horário.',
  },
};

/** Why a line costs what it costs, in the reader's language. */
export const explain = (
  line: Pick<StatementLine, 'kind' | 'market' | 'rate' | 'pricingType' | 'era' | 'category'>,
  reason: SuspenseReason | null,
): Texts => {
  if (reason) return reasons[reason];
  if (line.kind === 'free')
    return line.pricingType === 'free_entry_point'
      ? { es: 'Gratis: punto de entrada gratuito.', en: 'Free: free entry point.', pt: 'Grátis: ponto de entrada gratuito.' }
      : line.era === 'E4'
        ? {
            es: 'Gratis: mensaje dentro de la ventana (regla hasta el 30-09-2026).',
            en: 'Free: message inside the window (rule until 2026-09-30).',
            pt: 'Grátis: mensagem dentro da janela (regra até 30/09/2026).',
          }
        : {
            es: 'Gratis: dentro de los mensajes de servicio gratuitos del mes.',
            en: "Free: inside the month's free service messages.",
            pt: 'Grátis: dentro das mensagens de serviço gratuitas do mês.',
          };
  const price = formatNano(nano(line.rate ?? '0'));
  const market = line.market ?? '';
  return {
    es: `${line.category}, mercado ${market}: ${price} por mensaje entregado.`,
    en: `${line.category}, market ${market}: ${price} per delivered message.`,
    pt: `${line.category}, mercado ${market}: ${price} por mensagem entregue.`,
  };
};
