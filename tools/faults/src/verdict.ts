import { invariants, judge, type History, type Invariant } from '@centralita/testing-kit';

/** How many violations of one invariant are shown; the history has them all. */
const SHOWN = 3;

export type Counted = { readonly passed: number; readonly failed: number };

/** Judges a history and prints a line for each invariant: held over so many things, broken, or that there was nothing to look at. */
export const report = (history: History, print: (line: string) => void): Counted => {
  const { violations, examined } = judge(history);
  const broken = Map.groupBy(violations, ({ invariant }) => invariant);
  let [passed, failed] = [0, 0];
  for (const [text, what] of Object.entries(invariants)) {
    const number = Number(text) as Invariant;
    const found = broken.get(number) ?? [];
    const looked = examined.get(number) ?? 0;
    if (found.length > 0) failed += 1;
    else if (looked > 0) passed += 1;
    const verdict = found.length > 0 ? 'FAIL' : looked > 0 ? 'PASS' : 'none';
    print(`${verdict} ${text.padStart(2)} ${what}: ${looked} looked at${found.length > 0 ? `, ${found.length} wrong` : ''}`);
    for (const { message } of found.slice(0, SHOWN)) print(`        ${message}`);
  }
  return { passed, failed };
};

/** The line of what a scenario judges itself. */
export const reportOwn = (
  { what, examined }: { readonly what: string; readonly examined: number },
  problems: readonly string[],
  print: (line: string) => void,
): Counted => {
  const held = problems.length === 0 && examined > 0;
  print(`${held ? 'PASS' : 'FAIL'}  * ${what}: ${examined} looked at${held ? '' : `, ${problems.length} wrong`}`);
  for (const problem of problems.slice(0, SHOWN)) print(`        ${problem}`);
  return { passed: held ? 1 : 0, failed: held ? 0 : 1 };
};
