/** Below this a line would jump about with each value. */
const LEAST = 20;

/** The part of a history that is known, from its first value on: a page that was opened soon after the start is not mostly empty. */
export const knownOf = (history: readonly (number | null)[]): readonly (number | null)[] => {
  const first = history.findIndex((value) => value !== null);
  return first <= 0 ? history : history.slice(Math.min(first, Math.max(0, history.length - LEAST)));
};

/** The polylines of a history within a picture: one for each stretch without a gap. A single value is a short stroke, not nothing. */
export const linesOf = (
  history: readonly (number | null)[],
  { width, height, scale }: { readonly width: number; readonly height: number; readonly scale: number },
): string[] => {
  const step = width / Math.max(1, history.length - 1);
  const y = (value: number): number => height - 1 - Math.min(1, value / scale) * (height - 3);
  const stretches: [number, number][][] = [];
  for (const [index, value] of history.entries()) {
    if (value === null) continue;
    if (index === 0 || history[index - 1] === null) stretches.push([]);
    stretches.at(-1)?.push([index * step, y(value)]);
  }
  return stretches.map((points) => {
    const [first] = points;
    const drawn = points.length === 1 && first ? [[Math.max(0, first[0] - step / 2), first[1]] as const, first] : points;
    return drawn.map(([x, at]) => `${x.toFixed(1)},${at.toFixed(1)}`).join(' ');
  });
};
