import { createHash } from 'node:crypto';
import { Crc32, Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';

/** A checksum that is computed while content arrives. */
export interface RunningChecksum {
  add(chunk: Uint8Array): void;
  /** In Base64, as S3 shows it. */
  end(): Promise<string>;
}

/** Starts a checksum of S3; `undefined` for an algorithm that is not known here. */
export function startChecksum(algorithm: string): RunningChecksum | undefined {
  if (algorithm === 'SHA1' || algorithm === 'SHA256') {
    const hash = createHash(algorithm);
    return { add: (chunk) => void hash.update(chunk), end: async () => hash.digest('base64') };
  }
  const known = { CRC32: Crc32, CRC32C: Crc32c, CRC64NVME: Crc64Nvme };
  const Crc = known[algorithm as keyof typeof known];
  if (!Crc) return undefined;
  const crc = new Crc();
  return {
    add: (chunk) => crc.update(chunk),
    end: async () => Buffer.from(await crc.digest()).toString('base64'),
  };
}
