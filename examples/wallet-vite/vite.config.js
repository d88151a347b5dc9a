import { defineConfig } from "vite";

export default defineConfig({
  // The package finds its WebAssembly beside itself, which holds only while Vite leaves it where it is.
  optimizeDeps: { exclude: ["@tuppence/wallet"] },
});
