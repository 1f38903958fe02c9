import * as net from 'node:net';

/** What is meant for `from` goes on to `to`, byte by byte: qemu's own forwarding takes no IPv6 address. */
export async function relay(from: net.ListenOptions, to: net.TcpNetConnectOpts): Promise<net.Server> {
  const server = net.createServer((near) => {
    const far = net.connect(to);
    near.pipe(far).pipe(near);
    for (const [one, other] of [[near, far], [far, near]]) one.on('error', () => other.destroy());
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(from, resolve));
  return server;
}
