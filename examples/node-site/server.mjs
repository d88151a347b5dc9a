// A publisher's own server, which makes its own pages and checks by itself who has paid:
//
//   tuppence serve                         center, wallet, and the shop that makes the offers
//   node examples/node-site/server.mjs     this server, at http://127.0.0.1:8092
import { createServer } from 'node:http';

import { loadCredentials, paywall } from '../../packages/shop/index.js';

const port = Number(process.env.PORT ?? 8092);
const wall = paywall({
  // What the center's operator hands over; `tuppence serve` puts its own shop's into the data folder.
  credentials: loadCredentials(process.env.CREDENTIALS ?? 'data/shop.json'),
  origin: `http://127.0.0.1:${port}`,
  storefront: process.env.STOREFRONT ?? 'http://localhost:8081',
  wallet: process.env.WALLET ?? 'http://localhost:8080',
  // The article `bread` of the storefront, with its price and teaser, is sold here.
  slug: (path) => (path === '/news/bread' ? 'bread' : undefined),
  secure: false,
});

const page = (title, body) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title}</title>
    <link rel="icon" href="data:,">
    <style>body { max-width: 38rem; margin: 0 auto; padding: 1rem; font: 1.0625rem/1.6 Georgia, serif }</style>
  </head>
  <body><main><h1>${title}</h1>${body}</main></body>
</html>
`;

const attribute = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

function news(access) {
  const teaser = '<p>The town bakery has opened its oven to the neighbours.</p>';
  const whole = '<p>It began with one loaf too many, and by Sunday there were forty people in the yard.</p>';
  if (access.paid) return teaser + whole;
  return `${teaser}<p><a href="${attribute(access.payUrl)}">Read on for a few cents</a></p>`;
}

createServer((request, response) => {
  wall(request, response, (error) => {
    const send = (status, text) => response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(text);
    if (error) return send(500, page('Sorry', '<p>Something is wrong with this page.</p>'));
    if (request.tuppence) return send(200, page('Bread for the neighbours', news(request.tuppence)));
    if (request.url === '/') return send(200, page('The Town Paper', '<p><a href="/news/bread">Bread for the neighbours</a></p>'));
    return send(404, page('There is nothing here', '<p><a href="/">The Town Paper</a></p>'));
  });
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`));
