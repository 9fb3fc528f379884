// The services name their levels; other pino users number them.
const numbered: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const loud = new Set(['warn', 'error', 'fatal']);
// The file keeps these; on the screen they repeat what the prefix says.
const omitted = new Set(['level', 'ts', 'svc', 'instance', 'msg', 'time', 'pid', 'hostname']);

/** A service's log line as a person reads it; null for what `quiet` leaves out. A line that is no JSON is shown as it is. */
export const formatLine = (line: string, quiet: boolean): string | null => {
  if (!line.startsWith('{')) return line === '' ? null : line;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const given = entry['level'];
  const level = typeof given === 'string' ? given : typeof given === 'number' ? (numbered[given] ?? String(given)) : 'info';
  if (quiet && !loud.has(level)) return null;
  const rest = Object.entries(entry)
    .filter(([name]) => !omitted.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [loud.has(level) ? level.toUpperCase() : level, typeof entry['msg'] === 'string' ? entry['msg'] : '', ...rest].join(' ');
};
