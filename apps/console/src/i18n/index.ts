import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { preferences } from '../shared/preferences.js';
import { en, type Dictionary } from './en.js';
import { es } from './es.js';
import { pt } from './pt.js';

export const languages = { es, en, pt } as const satisfies Record<string, Dictionary>;
export type Language = keyof typeof languages;
export const locales: Record<Language, string> = { es: 'es-ES', en: 'en-GB', pt: 'pt-BR' };

const fromBrowser = (): Language =>
  (navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in languages) as Language | undefined) ?? 'en';

export const startLanguages = async (): Promise<void> => {
  await i18next.use(initReactI18next).init({
    lng: preferences.get('language') ?? fromBrowser(),
    fallbackLng: 'en',
    resources: Object.fromEntries(Object.entries(languages).map(([name, texts]) => [name, { translation: texts }])),
    interpolation: { escapeValue: false },
  });
  document.documentElement.lang = i18next.language;
  i18next.on('languageChanged', (language) => {
    document.documentElement.lang = language;
  });
};

/** Locale for numbers and dates of the language in use. */
export const locale = (): string => locales[i18next.language as Language] ?? 'en-GB';
