import { createHash } from 'node:crypto';
import type { WireRequest } from '../wire/exchange.ts';

/**
 * The checksums of S3 that the emulator computes. The headers of a checksum end in its name in lower
 * case.
 */
const checksumAlgorithms = [
  'CRC64NVME',
  'CRC32',
  'CRC32C',
  'SHA1',
  'SHA256',
  'SHA512',
  'MD5',
] as const;

/** One of the checksums. */
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number];

/** The checksum of an object that was written without one, as CloudWatch Logs does (documentation). */
export const defaultChecksum: ChecksumAlgorithm = 'CRC64NVME';

/** Returns the algorithm of the checksum in the headers or the trailer of a request. */
export function readChecksumAlgorithm({ headers }: WireRequest): ChecksumAlgorithm {
  const trailers = headers['x-amz-trailer']?.toString().toLowerCase().split(',') ?? [];
  const sent = checksumAlgorithms.find((algorithm) => {
    const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
    return headers[name] !== undefined || trailers.includes(name);
  });
  return sent ?? defaultChecksum;
}

/** Returns the headers that show a checksum. A checksum of a whole object has the type FULL_OBJECT. */
export function checksumHeaders(algorithm: ChecksumAlgorithm, checksum: string) {
  return {
    [`x-amz-checksum-${algorithm.toLowerCase()}`]: checksum,
    'x-amz-checksum-type': 'FULL_OBJECT',
  };
}

/** Computes a checksum in base64. */
export function computeChecksum(algorithm: ChecksumAlgorithm, bytes: Buffer): string {
  const polynomial = polynomials[algorithm];
  if (!polynomial) return createHash(algorithm.toLowerCase()).update(bytes).digest('base64');
  return computeCrc(polynomial, bytes).toString('base64');
}

/** Two halves of 32 bits. A checksum of 32 bits has the lower half only. */
interface Halves {
  high: number;
  low: number;
}

/** The polynomials of cyclic redundancy checks, lowest bit first. */
const polynomials: Partial<Record<ChecksumAlgorithm, Halves>> = {
  CRC64NVME: { high: 0x9a6c9329, low: 0xac4bc9b5 },
  CRC32: { high: 0, low: 0xedb88320 },
  CRC32C: { high: 0, low: 0x82f63b78 },
};

const tables = new Map<Halves, { high: Int32Array; low: Int32Array }>();

/** Computes byte by byte with two halves: bigint would take seconds for a large object. */
function computeCrc(polynomial: Halves, bytes: Buffer): Buffer {
  const table = tables.get(polynomial) ?? makeTable(polynomial);
  tables.set(polynomial, table);
  const isLong = polynomial.high !== 0;
  let high = isLong ? -1 : 0;
  let low = -1;
  // A loop over the bytes themselves takes several times as long.
  for (let index = 0; index < bytes.length; index += 1) {
    const at = (low ^ (bytes[index] as number)) & 0xff;
    low = ((low >>> 8) | (high << 24)) ^ (table.low[at] as number);
    high = (high >>> 8) ^ (table.high[at] as number);
  }
  const result = Buffer.alloc(8);
  result.writeInt32BE(~high, 0);
  result.writeInt32BE(~low, 4);
  return isLong ? result : result.subarray(4);
}

function makeTable(polynomial: Halves): { high: Int32Array; low: Int32Array } {
  const table = { high: new Int32Array(256), low: new Int32Array(256) };
  for (let at = 0; at < 256; at += 1) {
    let [high, low] = [0, at];
    for (let bit = 0; bit < 8; bit += 1) {
      const isOdd = (low & 1) === 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (isOdd) [high, low] = [high ^ polynomial.high, low ^ polynomial.low];
    }
    table.high[at] = high;
    table.low[at] = low;
  }
  return table;
}
