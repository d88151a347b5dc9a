// Starts the wallet. Trunk would write this inline with the hashed names, which the content security policy
// forbids; so it reads the names from the preload links that Trunk puts in the head.
const code = document.querySelector('head > link[rel="modulepreload"]').href;
const binary = document.querySelector('head > link[rel="preload"][as="fetch"][type="application/wasm"]').href;
const wallet = await import(code);
await wallet.default({ module_or_path: binary });
