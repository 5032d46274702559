import Fastify from 'fastify';

const app = Fastify();
app.get('/health/live', async () => ({ status: 'live' }));
const url = await app.listen({ host: '127.0.0.1', port: 0 });

process.on('disconnect', () => process.exit());
process.send?.({ url });
