import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { charts, repository } from '../repository.js';
import { pushedDigest } from './package.js';

type Step = { readonly uses?: string; readonly run?: string; readonly with?: Record<string, unknown> };
type Job = {
  readonly permissions?: Record<string, string>;
  readonly steps: readonly Step[];
  readonly strategy?: { matrix: Record<string, string[]> };
};

const text = readFileSync(join(repository, '.github/workflows/release.yaml'), 'utf8');
const workflow = parse(text) as { permissions: object; jobs: Record<string, Job> };
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

describe('the release workflow', () => {
  it('pins every action by commit, and says which version that is', () => {
    const uses = [...text.matchAll(/uses: (.*)$/gm)].map(([, use]) => use);
    expect(uses.length).toBeGreaterThan(5);
    for (const use of uses) expect(use).toMatch(/^[\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it('gives a job no more rights than it needs, and keeps no credentials in the checkout', () => {
    expect(workflow.permissions).toEqual({});
    for (const job of Object.values(workflow.jobs)) expect(job.permissions?.contents).toBe('read');
    for (const step of steps.filter(({ uses }) => uses?.startsWith('actions/checkout@')))
      expect(step.with).toMatchObject({ 'persist-credentials': false });
  });

  it('puts nothing that others can write into a script', () => {
    for (const { run } of steps) expect(run ?? '').not.toContain('${{');
  });

  it('signs and attests all images and charts', () => {
    const { images, charts: published } = workflow.jobs;
    expect(published?.strategy?.matrix['chart']?.sort()).toEqual(readdirSync(charts).sort());
    expect(images?.strategy?.matrix['app']).toEqual([
      'ingest',
      'conversation',
      'routing',
      'billing',
      'audit-log',
      'gateway',
      'cli',
    ]);
    for (const job of [images, published]) {
      expect(job?.steps.some(({ run }) => run?.startsWith('cosign sign '))).toBe(true);
      expect(job?.steps.some(({ uses }) => uses?.startsWith('actions/attest-build-provenance@'))).toBe(true);
    }
    expect(images?.steps.some(({ uses }) => uses?.startsWith('actions/attest-sbom@'))).toBe(true);
  });

  it('runs files that are there', () => {
    const files = [...text.replaceAll(/uses: .*/g, '').matchAll(/(?<![\w/])((?:\.\/)?(?:tools|libs|docker)\/[\w./-]+)/g)].map(
      ([, file = '']) => file,
    );
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) expect(`${file} ${existsSync(join(repository, file))}`).toBe(`${file} true`);
  });
});

describe('a push', () => {
  it('has a digest, or is none', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    expect(pushedDigest(`Pushed: registry.example.com/charts/a:1\nDigest: ${digest}\n`)).toBe(digest);
    expect(() => pushedDigest('Pushed: a\n')).toThrow('no digest');
  });
});
