import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type TlsFiles = { readonly ca?: string; readonly cert?: string; readonly key?: string };
export type Tls = { readonly ca?: string[]; readonly cert?: string; readonly key?: string };

/** What is read together belongs together for so long: a client asks for each of the three by itself. */
const TOGETHER_MS = 1000;

const isPair = ({ cert, key }: Tls): boolean => {
  if (cert === undefined || key === undefined) return true;
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
};

/**
 * Certificates for connections, read again for each: whoever renews them writes the same files, and no process is started again. While they are
 * being replaced (a file is away, a key does not fit its certificate yet) what was read before goes on. Throws at first if a file cannot
 * be read.
 */
export const tlsFrom = (files: TlsFiles, now: () => number = () => performance.now()): Tls => {
  const read = (): Tls => ({
    ...(files.ca !== undefined && { ca: [readFileSync(files.ca, 'utf8')] }),
    ...(files.cert !== undefined && { cert: readFileSync(files.cert, 'utf8') }),
    ...(files.key !== undefined && { key: readFileSync(files.key, 'utf8') }),
  });
  let [held, until] = [read(), now() + TOGETHER_MS];
  const current = (): Tls => {
    if (now() < until) return held;
    until = now() + TOGETHER_MS;
    try {
      const found = read();
      if (isPair(found)) held = found;
    } catch {
      // As before.
    }
    return held;
  };
  const tls = {};
  for (const name of Object.keys(held) as (keyof Tls)[])
    Object.defineProperty(tls, name, { enumerable: true, get: () => current()[name] });
  return tls;
};
