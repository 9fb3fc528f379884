import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const cli = join(import.meta.dirname, '..');
const { bin } = JSON.parse(readFileSync(join(cli, 'package.json'), 'utf8')) as { bin: { centralita: string } };

describe('the command that npm links', () => {
  let folder: string;
  beforeAll(() => {
    // given an installation in which nothing is built
    folder = mkdtempSync(join(tmpdir(), 'centralita-bin-'));
    cpSync(join(cli, bin.centralita), join(folder, bin.centralita), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const run = (...argv: string[]) => spawnSync(process.execPath, [join(folder, bin.centralita), ...argv], { encoding: 'utf8' });

  it('names the build command before the build', () => {
    expect(run('verify')).toMatchObject({ status: 69, stdout: '', stderr: expect.stringContaining('npm run build') });
  });

  it('is the built command after it, with its arguments and its exit code', () => {
    mkdirSync(join(folder, 'dist'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'dist/main.js'), 'process.stdout.write(process.argv.slice(2).join()); process.exitCode = 2;');
    expect(run('verify', 'export')).toMatchObject({ status: 2, stdout: 'verify,export' });
  });
});
