import i18next from 'i18next';
import { en } from './en.js';
import { es } from './es.js';
import { pt } from './pt.js';

/** Makes the page's texts known. Not with all others: people who answer customers need not load them. */
export const addTexts = (): void => {
  for (const [language, platform] of Object.entries({ en, es, pt }))
    i18next.addResourceBundle(language, 'translation', { platform }, true, true);
};
