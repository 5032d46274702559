import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A name server on this machine. */
export interface NameServer extends AsyncDisposable {
  /** Its address and port. */
  address: string;
  /** The names that were asked for, in order, each with the family of the addresses. */
  asked: string[];
}

const families = new Map([
  [1, 4],
  [28, 6],
]);

/**
 * Opens a name server. `resolve` returns the addresses of a name and family; an IPv6 address is its 16 bytes in
 * hexadecimal. Without addresses, the name does not exist.
 */
export async function openNameServer(
  resolve: (name: string, family: number) => readonly string[],
): Promise<NameServer> {
  const asked: string[] = [];
  const socket = createSocket('udp4', (query, from) => {
    const labels: string[] = [];
    let end = 12;
    for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
      labels.push(query.toString('latin1', end + 1, end + 1 + length));
      end += 1 + length;
    }
    const type = query.readUInt16BE(end + 1);
    const name = labels.join('.').toLowerCase();
    const family = families.get(type) ?? 0;
    asked.push(`${name} ${family}`);
    const addresses = resolve(name, family);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(addresses.length > 0 ? 0x8180 : 0x8183, 2); // an answer, or no such name
    header.writeUInt16BE(addresses.length, 6);
    header.writeUInt32BE(0, 8);
    const records = addresses.map((address) => {
      const bytes =
        family === 4 ? Buffer.from(address.split('.').map(Number)) : Buffer.from(address, 'hex');
      const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 0, 0, bytes.length]);
      return Buffer.concat([record, bytes]);
    });
    const answer = Buffer.concat([header, query.subarray(12, end + 5), ...records]);
    socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    asked,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, 'close');
    },
  };
}
