import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { EXIT_USAGE, type Io, type Outcome } from './io.js';
import { parkedCommand } from './parked/command.js';
import { replayCommand } from './replay/command.js';
import { verifyCommand } from './verify/command.js';

const version = (): string =>
  (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/** One folder per command; a new command is one line here. */
const commands: readonly ((io: Io, outcome: Outcome) => Command)[] = [verifyCommand, replayCommand, parkedCommand];

/** Loaded when it is asked for: it brings what the services are made of, which takes longer to load than a proof to verify. */
const opsCommand = async (argv: readonly string[], io: Io, outcome: Outcome): Promise<Command> =>
  argv.includes('ops')
    ? (await import('./ops/command.js')).opsCommand(io, outcome)
    : new Command('ops').description('operate an installation');

/** All commands, as far as the command line needs them. */
export const programOf = async (argv: readonly string[], io: Io, outcome: Outcome): Promise<Command> => {
  const program = new Command('centralita')
    .description('Checks what Centralita has recorded, and operates its services.')
    .version(version())
    .showHelpAfterError('(add --help for usage)');
  for (const command of commands) program.addCommand(command(io, outcome));
  program.addCommand(await opsCommand(argv, io, outcome));
  configure(program, io);
  return program;
};

/** Runs one command line and returns the exit code. Never throws for what a user can get wrong. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const outcome: Outcome = { exitCode: 0 };
  const program = await programOf(argv, io, outcome);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return outcome.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    throw error;
  }
};

/** Commander leaves the process and writes past us unless each command is told otherwise. */
const configure = (command: Command, io: Io): void => {
  const line = (write: (text: string) => void) => (text: string) => write(text.replace(/\n$/, ''));
  command.exitOverride().configureOutput({ writeOut: line(io.out), writeErr: line(io.err) });
  for (const child of command.commands) configure(child, io);
};
