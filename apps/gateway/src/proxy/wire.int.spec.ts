import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { text } from 'node:stream/consumers';
import { Wire, WireTimeout } from './wire.js';

describe('the wire to a service', () => {
  let server: Server;
  let address: string;
  let connections = 0;
  const urls: string[] = [];
  beforeEach(async () => {
    [connections, urls.length] = [0, 0];
    server = createServer((request, response) => {
      urls.push(`${request.method} ${request.url}`);
      if (request.url?.endsWith('/silent')) return;
      if (request.url?.endsWith('/stalls')) return void response.write('begin');
      if (request.url?.endsWith('/breaks')) return void response.write('begin', () => request.socket.destroy());
      request.pipe(response);
    });
    server.on('connection', () => (connections += 1));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('keeps its connection, the prefix of its address, and bodies as they are', async () => {
    const sut = new Wire(`${address}/prefix/`);
    const body = Buffer.from('Buenos días ☀');
    for (let times = 0; times < 3; times += 1) {
      const answer = await sut.send({ method: 'POST', target: '/v1/x?a=1', headers: {}, body });
      expect(await text(answer)).toBe('Buenos días ☀');
    }
    expect([connections, urls]).toEqual([1, Array(3).fill('POST /prefix/v1/x?a=1')]);
  });

  it('asks once, also when the service breaks off', async () => {
    const sut = new Wire(address);
    const answer = await sut.send({ method: 'GET', target: '/breaks', headers: {} });
    await expect(text(answer)).rejects.toThrow('aborted');
    await new Promise((resolve) => server.close(resolve));
    await expect(sut.send({ method: 'GET', target: '/gone', headers: {} })).rejects.toThrow('ECONNREFUSED');
    expect(urls).toEqual(['GET /breaks']);
  });

  it('gives up a service that says nothing, before the answer and within', async () => {
    const sut = new Wire(address, 50);
    await expect(sut.send({ method: 'GET', target: '/silent', headers: {} })).rejects.toBeInstanceOf(WireTimeout);
    const answer = await sut.send({ method: 'GET', target: '/stalls', headers: {} });
    await expect(text(answer)).rejects.toBeInstanceOf(WireTimeout);
  });
});
