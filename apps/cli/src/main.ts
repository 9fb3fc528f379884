#!/usr/bin/env node
import { readFile, writeFile } from 'node:fs/promises';
import { run } from './program.js';

process.exitCode = await run(process.argv.slice(2), {
  readFile: (path) => readFile(path),
  writeFile: (path, text) => writeFile(path, text),
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
});
