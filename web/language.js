// A language that is data: src/locales/fetched.rs says what becomes of it.
const flat = (words) => Object.values(words).flatMap((said) => (typeof said === 'object' && !Array.isArray(said) ? flat(said) : [said].flat().join('\n')));
const table = (rows) => Object.entries(rows).map((row) => row.join('\t'));

export async function sentences(tag) {
  const response = await fetch(`/locales/${tag}.json`);
  const language = await response.json();
  language.history.message = table(language.history.message);
  language.trouble.cause = table(language.trouble.cause);
  return flat(language);
}
