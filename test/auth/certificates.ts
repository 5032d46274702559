import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

// Writes certificates byte by byte (RFC 5280): tools refuse to sign invalid ones.

/** A certificate and its key, in PEM. */
export interface Identity {
  cert: string;
  key: string;
}

/** An alternative name: its kind and its bytes, as latin1. */
export type AlternativeName = [kind: keyof typeof nameTags, bytes: string];

/** The content of a certificate. */
export interface CertificateOptions {
  names?: AlternativeName[];
  /** Epoch ms; default: one day from an hour ago. */
  from?: number;
  to?: number;
  /** The extended key usage; default: any. */
  use?: keyof typeof uses;
}

/** A certificate authority. */
export interface Authority {
  /** Its own certificate, in PEM. */
  cert: string;
  issue(options?: CertificateOptions): Identity;
  /** Makes an authority that this one signs. */
  issueAuthority(name: string): Authority;
}

const nameTags = { email: 0x81, dns: 0x82, directory: 0xa4, uri: 0x86, ip: 0x87, other: 0xa0 };
const uses = { client: '1.3.6.1.5.5.7.3.2', server: '1.3.6.1.5.5.7.3.1' };

/** Makes a root authority with this name. */
export function makeAuthority(name: string): Authority {
  return makeSigned(name);
}

/** Makes an authority that is signed by another one or by itself. */
function makeSigned(name: string, signer?: { name: string; privateKey: KeyObject }): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAuthority = extension('2.5.29.19', sequence(der(0x01, Buffer.from([0xff]))), true);
  const by = { name, privateKey: keys.privateKey };
  const own = { name, publicKey: keys.publicKey, extensions: [isAuthority] };
  return {
    cert: toCertificate(signer ?? by, own),
    issueAuthority: (other) => makeSigned(other, by),
    issue({ names = [], use, ...times } = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const alternatives = names.map(([kind, text]) => der(nameTags[kind], latin1(text)));
      const extensions = [
        ...(names.length > 0 ? [extension('2.5.29.17', sequence(...alternatives))] : []),
        ...(use ? [extension('2.5.29.37', sequence(oid(uses[use])))] : []),
      ];
      const subject = { name: 'nobody looks at this name', publicKey: own.publicKey, extensions };
      return {
        cert: toCertificate(by, { ...subject, ...times }),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      };
    },
  };
}

/** A directory name, as the bytes of an alternative name. */
export function directoryName(text: string): string {
  return toName(text).toString('latin1');
}

/** A user principal name of Windows, as the bytes of an alternative name. */
export function userPrincipalName(text: string): string {
  const value = der(0xa0, der(0x0c, Buffer.from(text)));
  return Buffer.concat([oid('1.3.6.1.4.1.311.20.2.3'), value]).toString('latin1');
}

function toCertificate(
  by: { name: string; privateKey: KeyObject },
  subject: { name: string; publicKey: KeyObject; extensions: Buffer[]; from?: number; to?: number },
): string {
  const { from = Date.now() - 3_600_000, to = Date.now() + 86_400_000 } = subject;
  const algorithm = sequence(oid('1.2.840.10045.4.3.2')); // ECDSA with SHA-256
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    toName(by.name),
    sequence(toTime(from), toTime(to)),
    toName(subject.name),
    subject.publicKey.export({ type: 'spki', format: 'der' }),
    ...(subject.extensions.length > 0 ? [der(0xa3, sequence(...subject.extensions))] : []),
  );
  const signature = sign('sha256', toBeSigned, by.privateKey);
  const bits = der(0x03, Buffer.concat([Buffer.from([0]), signature]));
  const base64 = sequence(toBeSigned, algorithm, bits).toString('base64');
  const lines = base64.match(/.{1,64}/g)?.join('\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, der(0x04, value));
}

function toName(text: string): Buffer {
  return sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(text)))));
}

function toTime(at: number): Buffer {
  const text = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x18, latin1(text));
}

function sequence(...members: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(members));
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const bytes = length < 256 ? [length] : [length >> 8, length & 0xff];
  const lengthBytes = length < 128 ? bytes : [0x80 | bytes.length, ...bytes];
  return Buffer.concat([Buffer.from([tag, ...lengthBytes]), content]);
}

function oid(id: string): Buffer {
  const [first = 0, second = 0, ...rest] = id.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const sevens = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) sevens.unshift((left & 0x7f) | 0x80);
    return sevens;
  });
  return der(0x06, Buffer.from(bytes));
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
