import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { renderText, type RenderOptions } from '../helm/render.js';
import { parseManifests, type Manifest } from '../manifests/manifest.js';
import { mainChart, repository } from '../repository.js';
import { installation } from '../chart/cases.js';

export const releasedFolder = join(repository, 'tools/deploy/released');

/** Values with which every release of the chart is kept: an upgrade is compared with what these rendered then. */
export const kept: Readonly<Record<string, RenderOptions>> = {
  default: {},
  production: { values: { ...installation, profile: 'production' } },
};

export const chartVersion = (): string =>
  (parse(readFileSync(join(mainChart, 'Chart.yaml'), 'utf8')) as { version: string }).version;

/** File of what a version of the chart rendered, as helm wrote it (so not `.yaml`, which would be formatted); versions are folders. */
export const releasedFile = (version: string, name: string): string => join(releasedFolder, version, `${name}.rendered`);

const parts = (version: string): number[] => version.split(/[.-]/).map((part) => Number(part) || 0);

const older = (a: string, b: string): number => {
  const [left, right] = [parts(a), parts(b)];
  return left.map((part, index) => part - (right[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
};

/** Versions that were released, oldest first. */
export const releasedVersions = (): string[] => (existsSync(releasedFolder) ? readdirSync(releasedFolder).sort(older) : []);

export const released = (version: string, name: string): Manifest[] =>
  parseManifests(readFileSync(releasedFile(version, name), 'utf8'));

export const renderedNow = (name: string): string => renderText(kept[name]);
