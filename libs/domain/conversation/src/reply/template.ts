import { PlatformError, type Template } from '@centralita/contracts';

/** The approved template of that name and language, when the values fit its placeholders. Throws TEMPLATE_UNKNOWN, TEMPLATE_INVALID. */
export const chooseTemplate = (
  templates: readonly Template[],
  wanted: { readonly name: string; readonly language: string; readonly values: readonly string[] },
): Template => {
  const template = templates.find(({ name, language }) => name === wanted.name && language === wanted.language);
  if (!template) throw new PlatformError('TEMPLATE_UNKNOWN', 'no approved template of this name and language');
  if (template.variables !== wanted.values.length)
    throw new PlatformError('TEMPLATE_INVALID', 'the number of values differs from the number of placeholders', {
      expected: template.variables,
      given: wanted.values.length,
    });
  return template;
};

/** The words that the customer gets: placeholders `{{1}}`, `{{2}}` … filled with the values. */
export const renderTemplate = (body: string, values: readonly string[]): string =>
  body.replace(/\{\{(\d+)\}\}/g, (placeholder, position: string) => values[Number(position) - 1] ?? placeholder);
