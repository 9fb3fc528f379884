import { describe, expect, it, jest } from '@jest/globals';
import { render, type RenderOptions } from '../helm/render.js';
import { argoOrderFindings, argoWaves } from '../rules/phases.js';
import { installation } from './cases.js';

// Each test starts helm, some several times: a quarter of a second on a quiet machine, much more on one that is busy.
jest.setTimeout(60_000);

const files = ['values/production.yaml', 'values/argocd.yaml'];

/** Place of the first and the last object of a kind in what Argo CD applies, one wave after the other. */
const placesOf = (options: RenderOptions, start: string): readonly number[] =>
  argoWaves(render(options)).flatMap(({ objects }, place) => (objects.some((object) => object.startsWith(start)) ? [place] : []));

describe('Argo CD', () => {
  it('migrates and makes topics before it replaces a process', () => {
    const options = { files, values: installation };
    for (const job of ['Job/centralita-migrate-', 'Job/centralita-topics-']) {
      const [place] = placesOf(options, job);
      expect(place).toBeLessThan(Math.min(...placesOf(options, 'Deployment/')));
    }
    expect(argoOrderFindings(render(options))).toEqual([]);
  });

  it('runs a hook of helm at PreSync, with an account that is there by then', () => {
    const options = { files, values: { ...installation, migrations: { mode: 'hook' } } };
    const waves = argoWaves(render(options));
    expect(waves.filter(({ phase }) => phase === 0).map(({ objects }) => objects.map((object) => object.split('/')[0]))).toEqual([
      ['ServiceAccount'],
      ['Job'],
    ]);
    expect(argoOrderFindings(render(options))).toEqual([]);
  });

  it('syncs a second time without running anything again: names follow from content', () => {
    const options = { files, values: installation };
    expect(render({ ...options, upgrade: true })).toEqual(render(options));
  });
});
