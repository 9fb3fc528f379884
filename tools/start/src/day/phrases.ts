import type { Random } from '@centralita/tool-simulator';

type Language = 'es' | 'en' | 'pt';

const openings: Record<Language, readonly string[]> = {
  es: [
    '¿Me confirman la reserva',
    'Buenos días, ¿tienen habitación',
    '¿A qué hora abre la recepción mañana',
    'Necesito cambiar la cita del jueves',
    '¡Hola! ¿Aceptan mascotas 🐕',
  ],
  en: [
    'Could you confirm my booking',
    'Hi, is breakfast included',
    'I need to move my appointment',
    'What time is check-in 🕒',
    'Please call me back about the invoice',
  ],
  pt: [
    'Vocês confirmam a reserva',
    'Olá, há estacionamento',
    'Preciso remarcar a consulta de amanhã',
    'Qual é o horário do café da manhã ☕',
    'Não recebi a confirmação',
  ],
};
const answers: Record<Language, readonly string[]> = {
  es: ['Claro, queda confirmado', 'Sí, con mucho gusto 😊', 'Se lo miro ahora mismo'],
  en: ['Certainly, that is confirmed', 'Yes, with pleasure 😊', 'Let me check that for you'],
  pt: ['Claro, está confirmado', 'Sim, com prazer 😊', 'Vou verificar agora mesmo'],
};
const notes = ['Cliente habitual, ojo con la factura', 'Asked twice already', 'Prefere quarto silencioso'];

/** A word that occurs nowhere else in the world: the privacy scan looks for it wherever text must not stand in clear. */
export const canary = (random: Random): string => `zq${random.digits(12)}`;

export const customerText = (random: Random, language: Language): string =>
  `${random.pick(openings[language])}? ${canary(random)}`;
export const agentText = (random: Random, language: Language): string => `${random.pick(answers[language])}. ${canary(random)}`;
export const noteText = (random: Random): string => `${random.pick(notes)} ${canary(random)}`;

/** A display name that belongs to nobody, with the letters that break careless code. */
export const displayName = (random: Random): string =>
  `${random.pick(['Ñandú', 'Açaí', 'Über', 'Çedilla', 'Ólafr', 'Zoë'])} ${canary(random)}`;
