import type { WalletStorage } from "./core.js";

export * from "./core.js";

/**
 * Keeps a wallet in a folder of its own, for its owner alone. Several programs may use it at once: one works, and the
 * others wait. What was written survives `kill -9` and a loss of power.
 */
export function fileStorage(folder: string): WalletStorage;

/** Keeps a wallet in memory, where it ends with the program: for tests. */
export function memoryStorage(): WalletStorage;
