import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { post } from '../../lab/rows';

/** What a server may do to a client that waits. */
const ANSWERS: Record<string, http.RequestListener> = {
  whole: (_, response) => response.end('1\n'),
  'of an error': (_, response) => void response.writeHead(500).end('Code: 210\n'),
  'that never begins': () => undefined,
  'that begins and stalls': (_, response) => void response.writeHead(200).write('1'),
  'that begins and breaks off': (_, response) => void response.writeHead(200).write('1', () => response.destroy()),
};

describe('an answer', () => {
  let server: http.Server;
  const ask = async (kind: string): Promise<string> => {
    server = http.createServer(ANSWERS[kind]);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return post((server.address() as AddressInfo).port, 'SELECT 1', 200);
  };
  afterEach(() => server.closeAllConnections());
  afterEach(() => new Promise((done) => server.close(done)));

  test('whole', async () => expect(await ask('whole')).toBe('1\n'));

  test.each([
    ['of an error', 'Code: 210'],
    ['that never begins', 'no answer within 0.2 s'],
    ['that begins and stalls', 'no answer within 0.2 s'],
    ['that begins and breaks off', 'aborted'],
  ])('%s is a refusal', async (kind, reason) => expect(ask(kind)).rejects.toThrow(reason));
});
