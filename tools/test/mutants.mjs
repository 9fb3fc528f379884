// Proof that the tests test: switches off one guard after the other, in a copy of the repository, and runs the specs that must notice.
// `npm run test:mutants [-- part of a name]`: docs/how-to/mutants.md. Ends with how many were caught; exits non-zero when one survived,
// or could not be applied.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { mutants } from './mutants.list.mjs';

const root = join(import.meta.dirname, '../..');
const copy = join(root, '.centralita/mutants');
const print = (line) => process.stdout.write(`${line}\n`);

/** Sources are copied; installed packages are the same files under other names, since nobody changes them. */
const makeCopy = () => {
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  for (const file of files.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
  }
  execFileSync('cp', ['-al', join(root, 'node_modules'), join(copy, 'node_modules')]);
};

/** Runs specs in the copy; resolves to the names of the tests that failed, and how many ran. */
const runSpecs = ({ tier, specs }) => {
  const report = join(copy, 'report.json');
  rmSync(report, { force: true });
  const { stderr } = spawnSync('jest', ['--silent', '--json', `--outputFile=${report}`, '--forceExit', ...specs], {
    cwd: copy,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${join(copy, 'node_modules/.bin')}${delimiter}${process.env.PATH}`,
      TEST_TIER: tier,
      NODE_OPTIONS: '--experimental-vm-modules --no-warnings',
    },
  });
  if (!existsSync(report)) return { ran: 0, failures: [], output: stderr.slice(-2000) };
  const { numTotalTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
  const failures = testResults.flatMap(({ assertionResults, message, status }) => {
    const names = assertionResults.filter((one) => one.status === 'failed').map((one) => one.fullName);
    // A spec that does not even load has noticed nothing.
    return names.length === 0 && status === 'failed' ? [{ broken: message.slice(0, 500) }] : names;
  });
  return {
    ran: numTotalTests,
    failures: failures.filter((one) => typeof one === 'string'),
    broken: failures.filter((one) => typeof one !== 'string'),
  };
};

/** Applies the edits of a mutant, all or none; returns how to take them back. */
const apply = ({ name, edits }) => {
  const [before, after] = [new Map(), new Map()];
  for (const { file, from, to } of edits) {
    const path = join(copy, file);
    if (!before.has(path)) before.set(path, readFileSync(path, 'utf8'));
    const text = after.get(path) ?? before.get(path);
    const found = text.split(from).length - 1;
    if (found !== 1)
      throw new Error(`${name}: its text is ${found} times in ${file}; the code has changed, move the mutant along`);
    after.set(
      path,
      text.replace(from, () => to),
    );
  }
  after.forEach((text, path) => writeFileSync(path, text));
  return () => before.forEach((text, path) => writeFileSync(path, text));
};

const more = (count) => (count === 0 ? '' : ` and ${count} more`);

/** Runs the specs in the order of the list, the likeliest first, until one fails. */
const hunt = ({ tier, specs }) => {
  const unread = [];
  for (const spec of specs) {
    const { failures, broken } = runSpecs({ tier, specs: [spec] });
    if (failures.length > 0) return { spec, failures, unread };
    unread.push(...(broken ?? [{ broken: spec }]));
  }
  return { failures: [], unread };
};

const wanted = process.argv.slice(2).join(' ');
const chosen = mutants.filter(({ name }) => name.includes(wanted));
if (chosen.length === 0) {
  process.stderr.write(`no mutant is called like "${wanted}": ${mutants.map(({ name }) => name).join('; ')}\n`);
  process.exit(64);
}
makeCopy();

print('Without a mutant every spec must pass:');
const tiers = Map.groupBy(chosen, ({ tests }) => tests.tier);
for (const [tier, ofTier] of tiers) {
  const { ran, failures, broken, output } = runSpecs({ tier, specs: [...new Set(ofTier.flatMap(({ tests }) => tests.specs))] });
  if (ran === 0 || failures.length > 0 || broken.length > 0) {
    process.stderr.write(`${tier}: ${failures.join('\n')}${JSON.stringify(broken ?? output)}\n`);
    process.exit(1);
  }
  print(`  ${tier}: ${ran} tests pass`);
}

let caught = 0;
for (const mutant of chosen) {
  const started = Date.now();
  try {
    const takeBack = apply(mutant);
    const { spec, failures, unread } = hunt(mutant.tests);
    takeBack();
    const seconds = `${((Date.now() - started) / 1000).toFixed(1)} s`;
    if (failures.length > 0) {
      caught += 1;
      print(`caught   ${mutant.name}: by "${failures[0]}"${more(failures.length - 1)} in ${spec}, ${seconds}`);
    } else
      print(`SURVIVED ${mutant.name}, ${seconds}${unread.length ? ` (specs that did not load: ${JSON.stringify(unread)})` : ''}`);
  } catch (error) {
    // Nothing was written to the copy: the next mutant finds it as it was.
    print(`FAILED   ${error.message}`);
  }
}
rmSync(copy, { recursive: true, force: true });
print(`${caught} passed, ${chosen.length - caught} failed`);
process.exitCode = caught === chosen.length ? 0 : 1;
