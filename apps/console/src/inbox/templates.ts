import type { Template } from '@centralita/contracts';

export const templateKey = ({ name, language }: Template): string => `${name} ${language}`;

/** The customer's language first, then by name. */
export const sortTemplates = (templates: readonly Template[], language: string): Template[] =>
  templates.toSorted(
    (left, right) =>
      Number(right.language.slice(0, 2) === language) - Number(left.language.slice(0, 2) === language) ||
      left.name.localeCompare(right.name),
  );

/** The template's words with its values; a value that is still empty shows its number. */
export const fillTemplate = (body: string, values: readonly string[]): string =>
  body.replace(/\{\{(\d+)\}\}/g, (hole, number: string) => values[Number(number) - 1]?.trim() || hole);
