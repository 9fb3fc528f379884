import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './folders.js';

type Report = { seed: number; checks: { id: number; name: string; status: string; figures: Record<string, unknown> }[] };

/** Runs the built launcher with engines of its own, as a newcomer does: none of this run's variables reach it. */
const start = (args: readonly string[]): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve, reject) => {
    const { KAFKA_BROKERS: _brokers, TEST_DATABASE_URL: _database, NODE_OPTIONS: _options, ...env } = process.env;
    const child = spawn(process.execPath, [join(projectRoot, 'tools/start/dist/main.js'), ...args], { cwd: projectRoot, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });

describe('npm start -- --once', () => {
  it('plays a small day through all processes, and every check holds', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'centralita-report-'));
    try {
      const report = join(folder, 'report.json');
      const { code, output } = await start(['--once', '--quiet', '--customers', '24', '--seed', '11', '--report', report]);
      if (code !== 0) throw new Error(`exit code ${code}\n${output.split('\n').slice(-60).join('\n')}`);
      const { seed, checks } = JSON.parse(await readFile(report, 'utf8')) as Report;
      expect(seed).toBe(11);
      expect(checks.map(({ id, status }) => `${id} ${status}`)).toEqual(
        Array.from({ length: 10 }, (_, index) => `${index + 1} PASS`),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 600_000);
});
