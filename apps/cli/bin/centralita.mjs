#!/usr/bin/env node
// npm links a command while it installs, before anything is built. So the linked file is committed; the command itself is in dist.
import { existsSync } from 'node:fs';

const command = new URL('../dist/main.js', import.meta.url);
if (existsSync(command)) await import(command.href);
else {
  process.stderr.write('error: centralita is not built yet; run: npm run build\n');
  // sysexits' EX_UNAVAILABLE, as in src/io.ts: apart from every verdict.
  process.exitCode = 69;
}
