import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProcessHarness, assertNoneLeft, freePort, until } from './index.js';

const server = `
import { createServer } from 'node:http';
const server = createServer((request, response) => response.end(process.env.ANSWER)).listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'));
process.on('SIGTERM', () => { console.error('draining'); server.close(() => process.exit(0)); server.closeAllConnections(); });
`;

describe('a process under test', () => {
  let folder: string;
  let sut: ProcessHarness;
  let url: string;
  const shown: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-spec-'));
    const script = join(folder, 'server.mjs');
    await writeFile(script, server);
    const port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    sut = await ProcessHarness.start({
      name: 'server',
      script,
      env: { PORT: String(port), ANSWER: 'yes' },
      onLine: (line) => shown.push(line),
    });
  });

  afterEach(async () => {
    await sut.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is ready when it says so and answers, and drains at SIGTERM', async () => {
    await sut.waitForLine(/listening/);
    await sut.waitForHttp(url);
    expect(await (await fetch(url)).text()).toBe('yes');
    expect(() => assertNoneLeft([sut])).toThrow(/still running: server/);
    expect(await sut.stop()).toEqual({ code: 0, signal: null });
    expect(sut.lines).toEqual(['listening', 'draining']);
    expect(shown).toContain('server | draining');
    assertNoneLeft([sut]);
  });

  it('can be frozen and thawed', async () => {
    await sut.waitForHttp(url);
    sut.signal('SIGSTOP');
    await expect(fetch(url, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    sut.signal('SIGCONT');
    await sut.waitForHttp(url);
  });

  it('fails a wait at once, with its last lines, when it was killed', async () => {
    await sut.waitForLine((line) => line === 'listening');
    const waiting = sut.waitForLine(/never/, 60_000);
    expect(await sut.kill()).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(waiting).rejects.toThrow(/server ended .*SIGKILL.*\nlistening/s);
    await until(() => !sut.running());
  });
});
