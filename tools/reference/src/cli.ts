import { loadFrom } from './repository.js';

/** What this page needs of a command of commander; the tool has no dependency on it. */
type Command = {
  name(): string;
  description(): string;
  usage(): string;
  readonly commands: readonly Command[];
  readonly options: readonly {
    readonly flags: string;
    readonly description: string;
    readonly defaultValue?: unknown;
    readonly mandatory: boolean;
  }[];
  readonly registeredArguments: readonly { name(): string; readonly description: string; readonly required: boolean }[];
};
type Program = { programOf: (argv: readonly string[], io: object, outcome: { exitCode: number }) => Promise<Command> };

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const rowsOf = (command: Command): string[] => [
  ...command.registeredArguments.map(
    (argument) =>
      `| \`${argument.required ? `<${argument.name()}>` : `[${argument.name()}]`}\` | ${cell(argument.description)} |`,
  ),
  ...command.options.map(({ flags, description, defaultValue, mandatory }) => {
    const given = mandatory
      ? '; required'
      : typeof defaultValue === 'number' || typeof defaultValue === 'string'
        ? `; default ${defaultValue}`
        : '';
    return `| \`${cell(flags)}\` | ${cell(description)}${given} |`;
  }),
];

/** Commands that do something, each with the words that lead to it. */
const leavesOf = (command: Command, path: readonly string[] = []): { words: string; command: Command }[] => {
  const words = [...path, command.name()];
  return command.commands.length === 0
    ? [{ words: words.join(' '), command }]
    : command.commands.flatMap((child) => leavesOf(child, words));
};

/** The page of the command line, from commander's own description of it and the table of exit codes. */
export const cliPage = async (): Promise<string> => {
  const { programOf } = await loadFrom<Program>('cli', 'program.ts');
  const { EXIT_CODES } = await loadFrom<{ EXIT_CODES: Readonly<Record<string, string>> }>('cli', 'ops/exit-codes.ts');
  const io = { env: {}, out: () => undefined, err: () => undefined };
  const program = await programOf(['ops'], io, { exitCode: 0 });
  return [
    '# Command line',
    '',
    'Made from the commands themselves by `tools/reference`; do not edit. How to work with them: [operate](../how-to/operate.md),',
    '[archive and restore](../how-to/archive-and-restore.md), [parked records](../how-to/parked-records.md).',
    '',
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...Object.entries(EXIT_CODES).map(([code, meaning]) => `| ${code} | ${meaning} |`),
    '',
    ...leavesOf(program).flatMap(({ words, command }) => {
      const rows = rowsOf(command);
      const table = rows.length === 0 ? [] : ['| argument or option | meaning |', '|---|---|', ...rows, ''];
      return [`## \`${words}\``, '', `${command.description()}.`, '', ...table];
    }),
  ].join('\n');
};
