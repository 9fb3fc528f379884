const levels: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };
// The file keeps these; on the screen they repeat what the prefix says.
const omitted = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'name', 'service', 'instance', 'role']);

/** A service's log line as a person reads it; null for what `quiet` leaves out. A line that is no JSON is shown as it is. */
export const formatLine = (line: string, quiet: boolean): string | null => {
  if (!line.startsWith('{')) return line === '' ? null : line;
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const level = typeof entry['level'] === 'number' ? entry['level'] : 30;
  if (quiet && level < 40) return null;
  const rest = Object.entries(entry)
    .filter(([name]) => !omitted.has(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [levels[level] ?? String(level), typeof entry['msg'] === 'string' ? entry['msg'] : '', ...rest].join(' ');
};
