import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const repository = join(import.meta.dirname, '../../..');

export const folderOf = (app: string): string => join(repository, 'apps', app, 'src');

/** A module of an app. Apps are no libraries and export nothing: this tool alone reads into them, to write down what they say. */
export const loadFrom = async <Module>(app: string, file: string): Promise<Module> =>
  (await import(pathToFileURL(join(folderOf(app), file)).href)) as Module;
