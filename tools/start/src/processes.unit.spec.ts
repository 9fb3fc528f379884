import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@centralita/tool-kafka';
import { until } from '@centralita/testing-engines';
import { StartProblem } from './problem.js';
import { Supervisor } from './processes.js';
import type { ProcessSpec } from './processes.js';

const service = `
import { createServer } from 'node:http';
console.log(JSON.stringify({ level: 'info', msg: 'listening', secretOfShell: process.env.SECRET_OF_SHELL }));
const server = createServer((request, response) => {
  if (request.url === '/die') { console.error('boom'); process.exit(3); }
  response.writeHead(request.url === '/ready' ? 200 : 503).end();
}).listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => { console.log('draining'); server.closeAllConnections(); server.close(() => process.exit(0)); });
`;

describe('the supervisor of the launcher', () => {
  let folder: string;
  let printed: string[];
  let sut: Supervisor;
  let url: string;
  let spec: ProcessSpec;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'centralita-spec-'));
    await writeFile(join(folder, 'main.mjs'), service);
    printed = [];
    sut = new Supervisor({ logs: folder, quiet: false, print: (line) => printed.push(line) });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    spec = { name: 'routing', script: join(folder, 'main.mjs'), env: { PORT: String(port) }, readyUrl: `${url}/ready` };
  });

  afterEach(async () => {
    await sut.stop('all');
    await rm(folder, { recursive: true, force: true });
  });

  it('starts, shows with a prefix, keeps in a file, and stops', async () => {
    process.env['SECRET_OF_SHELL'] = 'visible';
    await sut.start(spec);
    await sut.stop('all');
    delete process.env['SECRET_OF_SHELL'];
    expect(printed).toEqual(['routing       | info listening', 'routing       | draining']);
    expect(await readFile(join(folder, 'routing.log'), 'utf8')).toBe('{"level":"info","msg":"listening"}\ndraining\n');
    await expect(fetch(url)).rejects.toThrow();
  });

  it('names the process that died by itself, with its last lines', async () => {
    await sut.start(spec);
    const died = sut.died.catch((error: unknown) => error);
    await fetch(`${url}/die`).catch(() => undefined);
    const problem = await died;
    expect(problem).toBeInstanceOf(StartProblem);
    expect((problem as Error).message).toMatch(/^routing died \(exit 3\)\. Its last lines:\n {2}.*listening.*\n {2}boom$/);
  });

  it('does not wait for the readiness of a process that has died', async () => {
    await writeFile(join(folder, 'main.mjs'), 'console.error("wrong configuration"); process.exit(78);');
    await expect(sut.start(spec)).rejects.toThrow(/routing died \(exit 78\)\. Its last lines:\n {2}wrong configuration/);
  });

  it('starts nothing and calls nothing ready once it is stopping', async () => {
    const starting = sut.start({ ...spec, readyUrl: `${url}/not-yet` }).catch((error: unknown) => error);
    await until(() => printed.length > 0, { describe: 'the process to run' });
    await sut.stop('all');
    expect(await starting).toBeInstanceOf(StartProblem);
    await expect(sut.start(spec)).rejects.toThrow('routing was not started: everything is being stopped');
    await expect(sut.run(spec)).rejects.toThrow('everything is being stopped');
    await expect(fetch(url)).rejects.toThrow();
  });

  it('says what was waited for when a process never becomes ready', async () => {
    await expect(sut.start({ ...spec, readyUrl: `${url}/never` }, 300)).rejects.toThrow(
      /routing to be ready at .*never.*\n.*listening/,
    );
  });

  it('runs a migration to its end and fails with its lines', async () => {
    await writeFile(join(folder, 'good.mjs'), 'console.log("migrated")');
    await sut.run({ name: 'migrate routing', script: join(folder, 'good.mjs'), env: {} });
    expect(printed).toEqual(['migrate routing| migrated']);
    await writeFile(join(folder, 'bad.mjs'), 'console.error("no such role"); process.exit(1)');
    await expect(sut.run({ name: 'migrate billing', script: join(folder, 'bad.mjs'), env: {} })).rejects.toThrow(
      /migrate billing ended with 1\. Its last lines:\n {2}no such role/,
    );
  });
});
