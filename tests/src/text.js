// The visible text of the page with single spaces; that of elements with a tree of their own comes after.
const roots = [document];
for (const root of roots) for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) roots.push(shadowRoot);
const texts = roots.flatMap((root) => [...(root.body ? [root.body] : root.children)].map((element) => element.innerText ?? ""));
return texts.join(" ").replace(/\s+/g, " ").trim();
