import { execFile } from 'node:child_process';

const install = (packages: string): string =>
  process.platform === 'darwin'
    ? `brew install ${packages.replace('openjdk-17-jre-headless', 'openjdk@17')}`
    : `${process.getuid?.() === 0 ? '' : 'sudo '}apt-get install -y ${packages}`;

/** What the machine lacks, in one sentence with the command that installs it. Meant to be printed as it is, without a stack. */
export class MissingTool extends Error {
  override readonly name = 'MissingTool';
}

const version = (command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | null> =>
  new Promise((resolve) => {
    execFile(command, args, { env }, (error, stdout, stderr) => resolve(error === null ? stdout + stderr : null));
  });

/** Major version of a `java -version` answer; 0 when it cannot be read. */
export const javaMajor = (answer: string): number => {
  const found = /version "(\d+)(?:\.(\d+))?/.exec(answer);
  if (found === null) return 0;
  return found[1] === '1' ? Number(found[2]) : Number(found[1]);
};

/** Refuses a machine that cannot run the broker. Kafka 4 needs Java 17; Maven is needed once, to fetch the broker's jars. */
export const checkTools = async (needs: { maven: boolean }, env: NodeJS.ProcessEnv = process.env): Promise<void> => {
  const java = await version('java', ['-version'], env);
  const javaIsMissing = java === null || javaMajor(java) < 17;
  const mavenIsMissing = needs.maven && (await version('mvn', ['-v'], env)) === null;
  if (!javaIsMissing && !mavenIsMissing) return;
  const packages = [javaIsMissing ? 'openjdk-17-jre-headless' : '', mavenIsMissing ? 'maven' : ''].filter(Boolean);
  const names = [javaIsMissing ? 'Java 17 or newer' : '', mavenIsMissing ? 'Maven' : ''].filter(Boolean).join(' and ');
  throw new MissingTool(
    `Kafka needs ${names} on this machine: install with \`${install(packages.join(' '))}\`, or set KAFKA_BROKERS to a running Kafka.`,
  );
};
