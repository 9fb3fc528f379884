import type { IContainer } from 'kubernetes-models/v1/Container';
import type { IProbe } from 'kubernetes-models/v1/Probe';

const portOf = (container: IContainer, port: number | string): number => {
  if (typeof port === 'number') return port;
  const named = container.ports?.find(({ name }) => name === port);
  if (!named) throw new Error(`a probe of ${container.name} names the port ${port}, which the container does not have`);
  return named.containerPort;
};

export type ProbeAnswer = { readonly ok: boolean; readonly text: string };

/** Asks once, as the kubelet does: over HTTP, within the probe's time; 200 to 399 is well. */
export const ask = async (probe: IProbe, container: IContainer, ip: string): Promise<ProbeAnswer> => {
  if (!probe.httpGet) throw new Error(`a probe of ${container.name} is none over HTTP`);
  const url = `http://${ip}:${portOf(container, probe.httpGet.port)}${probe.httpGet.path ?? '/'}`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout((probe.timeoutSeconds ?? 1) * 1000) });
    return { ok: response.status >= 200 && response.status < 400, text: (await response.text()).slice(0, 500) };
  } catch (error) {
    return { ok: false, text: error instanceof Error ? error.message : String(error) };
  }
};
