import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** The message of the issuer when it is ready. */
export interface IssuerReady {
  /** Its issuer name, and the URL of its discovery document. */
  url: string;
  /** A token of a caller in the group GROUP, valid for an hour. */
  token: string;
}

const alg = 'ES256';
const kid = 'bench';
const { publicKey, privateKey } = await generateKeyPair(alg);
const keys = [{ ...(await exportJWK(publicKey)), alg, kid, use: 'sig' }];

const server = createServer((request, response) => {
  const isKeys = request.url === '/keys';
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(isKeys ? { keys } : { issuer: url, jwks_uri: `${url}/keys` }));
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

const token = await new SignJWT({ groups: [process.env.GROUP] })
  .setProtectedHeader({ alg, kid, typ: 'JWT' })
  .setIssuer(url)
  .setAudience(process.env.AUDIENCE ?? '')
  .setSubject('bench')
  .setIssuedAt()
  .setExpirationTime('1h')
  .sign(privateKey);

process.on('disconnect', () => process.exit());
process.send?.({ url, token } satisfies IssuerReady);
