import { InvalidArgumentError } from 'commander';

/** Value of an option that counts something. */
export const wholeNumber = (text: string): number => {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('not a number from 1 to 99999');
  return Number(text);
};
