import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repository } from './repository.js';

const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('{docs,tools/*}/**/*.md', { cwd: repository })].filter(
  (page) => !/node_modules|\/dist\//.test(page),
);

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(repository, page), 'utf8');

  it('links to what is there', () => {
    const links = [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map((match) => match[1] ?? '');
    const broken = links.filter((link) => !/^https?:/.test(link) && !existsSync(join(repository, dirname(page), link)));
    expect(broken).toEqual([]);
  });

  it('names sources that are there', () => {
    // Built files and what a pattern stands for are not in the repository.
    const paths = [...text.matchAll(/`((?:apps|libs|tools|docker|docs)\/[\w./-]+)`/g)].map((match) => match[1] ?? '');
    const missing = paths.filter(
      (path) => !path.includes('/dist/') && !path.includes('…') && !existsSync(join(repository, path)),
    );
    expect(missing).toEqual([]);
  });
});
