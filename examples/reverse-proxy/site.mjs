// A site that knows nothing of Tuppence, at http://127.0.0.1:8093. The storefront in front of it sells its stories:
//
//   node examples/reverse-proxy/site.mjs
//   tuppence serve --upstream http://127.0.0.1:8093 --upstream-rules examples/reverse-proxy/rules.toml
//
// Readers come to http://localhost:8081. On a real machine nobody but the storefront reaches the site itself.
import { createServer } from 'node:http';

const port = Number(process.env.PORT ?? 8093);

const STORIES = {
  letter: {
    title: 'A letter from the gate',
    beginning: ['The allotments have a new gate, and the key is where the old one was.'],
    rest: ['Come in, and close it behind you: the deer have learned to read the sign.'],
  },
  compost: {
    title: 'What a heap knows',
    beginning: [
      'A compost heap is the slowest fire that a person can own. It has no flame and little smoke, and on a morning in January there is no snow on it.',
    ],
    rest: [
      'Put your hand in, as far as the wrist, and you will know more about the year than from any calendar: what was eaten, what was thrown away too soon, and who in the house has stopped liking plums.',
      'Mine is kept by four boards and a rule that my neighbour taught me. Two of brown, one of green, and a bucket of water for every week without rain. She never measured anything in her life, and her beans are taller than mine.',
      'It is finished when it no longer smells of what it was. That takes a year if you turn it, and two if you forget, and I have come to think that forgetting is the better method.',
    ],
  },
  beans: {
    title: 'Nine beans in a row',
    beginning: [
      'The packet says to sow them in May, when the ground is warm. The ground has not read the packet, and the man next to me sows by the lilac.',
      'He has a string with knots in it, one for every bean, and he lays it along the bed as carefully as others lay a table. Nine knots, nine beans, and one that he puts aside for the mouse.',
    ],
    rest: [
      'I asked him once what happens when the mouse takes another. Then, he said, it was the mouse that had sown by the packet.',
      'In August there were nine rows of nine. He gave most of them away, over the fence, in a hat, and would not hear of money for them.',
      'The string hangs in my shed now. I have counted the knots many times since. There are ten.',
    ],
  },
};

const paragraphs = (texts) => texts.map((text) => `<p>${text}</p>`).join('\n');

const page = (title, body) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · The Allotment</title>
    <link rel="stylesheet" href="/site.css">
    <link rel="icon" href="data:,">
  </head>
  <body>
    <header><a href="/">The Allotment</a></header>
    <main><h1>${title}</h1>
${body}</main>
    <footer>Printed on nothing, once a season.</footer>
  </body>
</html>
`;

const STYLE = `:root { color-scheme: light dark; --tuppence-accent: #2f5d34; --tuppence-on-accent: #fff; }
body { max-width: 38rem; margin: 0 auto; padding: 1rem; font: 1.0625rem/1.6 Georgia, serif; }
header, footer { padding-block: 1rem; font-style: italic; }
a { color: inherit; }
li { margin-block: 0.75rem; }
`;

function answer(path) {
  const html = 'text/html; charset=utf-8';
  if (path === '/site.css') return [200, 'text/css', STYLE];
  if (path === '/') {
    const links = Object.entries(STORIES).map(([name, { title }]) => `<li><a href="/stories/${name}">${title}</a></li>`);
    return [200, html, page('This season', `<ul>${links.join('\n')}</ul>\n`)];
  }
  if (path === '/stories/feed.xml') {
    const entries = Object.values(STORIES).map(({ title, beginning, rest }) => `<item><title>${title}</title><description>${[...beginning, ...rest].join(' ')}</description></item>`);
    return [200, 'application/rss+xml', `<rss version="2.0"><channel><title>The Allotment</title>${entries.join('')}</channel></rss>`];
  }
  const story = STORIES[/^\/stories\/([a-z]+)$/.exec(path)?.[1]];
  if (!story) return [404, html, page('There is nothing here', '<p>Perhaps it was weeded.</p>\n')];
  const beginning = `<div class="beginning">\n${paragraphs(story.beginning)}\n</div>`;
  return [200, html, page(story.title, `<div class="story">\n${beginning}\n${paragraphs(story.rest)}\n</div>\n`)];
}

createServer((request, response) => {
  const [status, type, body] = answer(new URL(request.url, 'http://localhost').pathname);
  response.writeHead(status, { 'content-type': type }).end(body);
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}   (readers come by the storefront)`));
