#!/usr/bin/env node
import { open, readFile, writeFile } from 'node:fs/promises';
import { runService } from './run-service.js';
import { run } from './program.js';

process.exitCode = await run(process.argv.slice(2), {
  readFile: (path) => readFile(path),
  async *readLines(path) {
    const file = await open(path);
    try {
      yield* file.readLines();
    } finally {
      await file.close();
    }
  },
  writeFile: (path, text) => writeFile(path, text),
  openFile: async (path) => {
    const file = await open(path, 'w');
    return { write: (text) => file.appendFile(text), close: () => file.close() };
  },
  runService,
  fetch: (input, init) => fetch(input, init),
  env: process.env,
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
});
