import { describe, expect, it } from '@jest/globals';
import { MissingTool, checkTools, javaMajor } from './java.js';

describe('the Java that is installed', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['java version "1.8.0_401"', 8],
    ['openjdk version "21" 2023-09-19', 21],
    ['command not found', 0],
  ])('%s is %d', (answer, major) => {
    expect(javaMajor(answer)).toBe(major);
  });
});

describe('a machine without tools', () => {
  const env = { PATH: '/nowhere' };

  it('is told in one sentence what to install', async () => {
    const failure = await checkTools({ maven: true }, env).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MissingTool);
    expect((failure as Error).message).toMatch(
      /^Kafka needs Java 17 or newer and Maven on this machine: install with `[^`]+`, or set KAFKA_BROKERS to a running Kafka\.$/,
    );
  });

  it('is not asked for Maven when the jars are there', async () => {
    await expect(checkTools({ maven: false }, env)).rejects.toThrow(/^Kafka needs Java 17 or newer on this machine/);
  });
});
