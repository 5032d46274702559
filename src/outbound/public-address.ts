import { BlockList, isIP } from 'node:net';

// Addresses that the Internet does not route (IANA's registries of special-purpose addresses), and those that
// carry an IPv4 address inside. One list for each family: a BlockList compares IPv4 addresses with IPv6 rules,
// too, so that a rule for `::/3` would contain all of IPv4.
const special = {
  4: makeList('ipv4', [
    '0.0.0.0/8', // this machine
    '10.0.0.0/8',
    '100.64.0.0/10', // carrier-grade NAT
    '127.0.0.0/8',
    '169.254.0.0/16', // link-local: the metadata services of EC2 and ECS
    '172.16.0.0/12',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24', // relays of 6to4
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/4', // multicast
    '240.0.0.0/4', // reserved, and broadcast
  ]),
  6: makeList('ipv6', [
    // All but 2000::/3: unspecified, loopback, IPv4-mapped, IPv4-compatible, NAT64, unique local, link-local, multicast.
    '::/3',
    '4000::/2',
    '8000::/1',
    '2001::/23', // with Teredo
    '2001:db8::/32',
    '2002::/16', // 6to4
    '3fff::/20',
  ]),
};

function makeList(
  family: 'ipv4' | 'ipv6',
  subnets: readonly string[],
): (address: string) => boolean {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', bits] = subnet.split('/');
    list.addSubnet(network, Number(bits), family);
  }
  return (address) => list.check(address, family);
}

/** Whether an IP address is one of a host on the Internet. False for every other text. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !address.includes('%') && !special[family as 4 | 6](address);
}
