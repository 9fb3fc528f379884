/** Whoever asks again gets the promise of the first call. */
export const once = <T>(work: () => Promise<T>): (() => Promise<T>) => {
  let under: Promise<T> | null = null;
  return () => (under ??= work());
};
