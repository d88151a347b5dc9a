// Serves this folder at http://127.0.0.1:8090, as any static host would: node examples/static-site/serve.mjs
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';

const TYPES = { 'index.html': 'text/html; charset=utf-8', 'style.css': 'text/css' };
const port = Number(process.env.PORT ?? 8090);

createServer(async (request, response) => {
  const name = new URL(request.url, 'http://localhost').pathname.slice(1) || 'index.html';
  if (!TYPES[name]) return response.writeHead(404).end('There is nothing here.\n');
  response.writeHead(200, { 'content-type': TYPES[name] }).end(await readFile(new URL(name, import.meta.url)));
}).listen(port, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${port}   (the shop: tuppence serve)`);
});
