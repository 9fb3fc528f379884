import type { Queue } from './state.js';

const primary = (language: string): string => language.toLowerCase().replace(/[-_].*$/, '');

/**
 * A language is a skill named by its code, `pt`, or spelt out, `lang:pt`. Regions do not matter: who speaks `pt` or `pt-BR`
 * serves a customer of `pt-PT`.
 */
export const speaks = (skills: readonly string[], language: string): boolean => {
  const wanted = primary(language);
  return skills.some((skill) => primary(skill.startsWith('lang:') ? skill.slice(5) : skill) === wanted);
};

export const hasSkills = (skills: readonly string[], required: readonly string[]): boolean =>
  required.every((skill) => skills.includes(skill));

/** 0 = a queue made for the customer's language, 1 = one that routes by language, 2 = any other. */
const fit = (queue: Queue, language: string | null): number => {
  if (language !== null && speaks(queue.requiredSkills, language)) return 0;
  return queue.languageSkill ? 1 : 2;
};

/**
 * The queue that serves a business number. Several may: the one that asks for the customer's language first, then the one that
 * routes by language, then the higher priority, then the smaller id. Null when no queue serves the number.
 */
export const chooseQueue = (queues: Iterable<Queue>, phoneNumberId: string, language: string | null): Queue | null => {
  const serving = [...queues].filter((queue) => queue.phoneNumberIds.includes(phoneNumberId));
  serving.sort((a, b) => fit(a, language) - fit(b, language) || b.priority - a.priority || (a.queueId < b.queueId ? -1 : 1));
  return serving[0] ?? null;
};
